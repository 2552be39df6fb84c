/** Screen writes lines that stay, and on a terminal one line of progress that is written over. */
export interface Screen {
  line(text: string): void;
  progress(text: string): void;
}

/** createScreen writes to a stream; without a terminal, progress appears as a line every 5 seconds. */
export function createScreen(out: NodeJS.WriteStream, nowMs: () => number): Screen {
  let shown = false;
  let printedMs = -Infinity;
  const clear = () => {
    if (shown) out.write('\r\u001b[2K');
    shown = false;
  };
  return {
    line: (text) => {
      clear();
      out.write(`${text}\n`);
    },
    progress: (text) => {
      if (out.isTTY) {
        clear();
        out.write(text.slice(0, Math.max(20, (out.columns || 80) - 1)));
        shown = true;
      } else if (nowMs() - printedMs >= 5000) {
        printedMs = nowMs();
        out.write(`${text}\n`);
      }
    },
  };
}

/** bar draws a share from 0 to 1 with `width` characters. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `${'#'.repeat(filled)}${'.'.repeat(width - filled)}`;
}
