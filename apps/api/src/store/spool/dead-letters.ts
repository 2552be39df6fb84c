import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../platform/make-folder.js';
import type { DeadLetterReason } from './decide-drain.js';
import { countLines } from './line-pieces.js';

/** DeadLettersOptions say where dead letters are kept and bound them. */
export interface DeadLettersOptions {
  readonly folder: string;
  /** Bytes of both files together; the older half goes when they are full. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly wallMs: () => number;
}

/** DeadLetterStats count lines since the process started. */
export interface DeadLetterStats {
  readonly lines: Readonly<Record<DeadLetterReason, number>>;
  /** Lines that are in no file any more, or never were: to make room, or because the disk did not take them. */
  readonly forgottenLines: number;
}

interface Letters {
  bytes: number;
  lines: number;
}

/**
 * DeadLetters keeps, for a person to look at, the lines that the server will never take: one JSON object a line in
 * dead-letter.ndjson, and dead-letter.1.ndjson before that. A crash may repeat some of them.
 */
export class DeadLetters {
  private readonly counts: Record<DeadLetterReason, number> = { bad_points: 0, beside_bad_points: 0, too_large: 0 };
  private forgotten = 0;
  private endsInside = false;

  private constructor(
    private readonly options: DeadLettersOptions,
    private current: Letters,
    private older: Letters,
  ) {}

  /** open makes the folder where it is missing, and looks at what is there. */
  static async open(options: DeadLettersOptions): Promise<DeadLetters> {
    makeFolder(options.folder);
    const [current, older] = await Promise.all(['dead-letter.ndjson', 'dead-letter.1.ndjson'].map(look));
    const letters = new DeadLetters(options, current ?? { bytes: 0, lines: 0 }, older ?? { bytes: 0, lines: 0 });
    letters.endsInside = current?.endsInside ?? false;
    return letters;

    async function look(name: string): Promise<Letters & { readonly endsInside: boolean }> {
      const bytes = await readFile(join(options.folder, name)).catch(() => Buffer.alloc(0));
      return { bytes: bytes.length, lines: countLines(bytes), endsInside: bytes.length > 0 && bytes.at(-1) !== 10 };
    }
  }

  /** add keeps lines with the reason and what the server said. It never rejects: what a disk does not take is counted. */
  async add(lines: Uint8Array, reason: DeadLetterReason, message: string): Promise<void> {
    const at = new Date(this.options.wallMs()).toISOString();
    const texts = Buffer.from(lines).toString().trimEnd().split('\n');
    this.counts[reason] += texts.length;
    const entries = texts.map((line) => `${JSON.stringify({ at, reason, message, line })}\n`);
    try {
      await this.write(Buffer.from((this.endsInside ? '\n' : '') + entries.join('')), entries.length);
    } catch {
      this.endsInside = true;
      this.forgotten += entries.length;
    }
  }

  stats(): DeadLetterStats {
    return { lines: { ...this.counts }, forgottenLines: this.forgotten };
  }

  private async write(bytes: Buffer, lines: number): Promise<void> {
    const half = this.options.maxBytes / 2;
    if (bytes.length > half) throw new Error('a dead letter is too large to keep');
    if (this.current.bytes + bytes.length > half) await this.turnOver();
    const handle = await open(this.file('dead-letter.ndjson'), 'a', 0o600);
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    this.current = { bytes: this.current.bytes + bytes.length, lines: this.current.lines + lines };
    this.endsInside = false;
  }

  private async turnOver(): Promise<void> {
    await rename(this.file('dead-letter.ndjson'), this.file('dead-letter.1.ndjson'));
    this.forgotten += this.older.lines;
    this.older = this.current;
    this.current = { bytes: 0, lines: 0 };
    this.endsInside = false;
  }

  private file(name: string): string {
    return join(this.options.folder, name);
  }
}
