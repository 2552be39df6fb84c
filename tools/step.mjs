const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;

/**
 * step runs `work` and says so: a spinner with the seconds on a terminal, a line before and a line after elsewhere.
 * `doing` and `done` are the two ways to say it ("Building", "Built"). What work returns or throws is passed on.
 */
export async function step({ doing, done, note = '' }, work, out = process.stdout) {
  const begin = performance.now();
  const seconds = () => `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  const hint = note ? ` (${note})` : '';
  let frame = 0;
  let timer;
  if (out.isTTY) {
    const draw = () => out.write(`\r\x1b[K${FRAMES[frame++ % FRAMES.length]} ${doing}${hint} ${seconds()}`);
    draw();
    timer = setInterval(draw, FRAME_MS);
  } else {
    out.write(`${doing}${hint}\n`);
  }
  try {
    const result = await work();
    clear();
    out.write(`${done} in ${seconds()}\n`);
    return result;
  } catch (error) {
    clear();
    out.write(`${doing} failed after ${seconds()}\n`);
    throw error;
  }
  function clear() {
    clearInterval(timer);
    if (out.isTTY) out.write('\r\x1b[K');
  }
}
