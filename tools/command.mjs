import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** ROOT is the folder of the repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const TAIL_LINES = 40;
const MAX_OUTPUT_CHARS = 1_000_000;
const running = new Set();

/** CommandError is a command that failed, with the last lines it printed. */
export class CommandError extends Error {
  constructor(line, code, tail) {
    super(`\`${line}\` ended with ${code}`);
    this.tail = tail;
  }
}

/** quietly runs a command in the root and resolves to what it printed; it rejects with a CommandError unless it exits 0. */
export async function quietly(command, args, { env = process.env } = {}) {
  const { code, output } = await outcomeOf(command, args, { env });
  if (code === 0) return output;
  throw new CommandError([command, ...args].join(' '), code, tailOf(output));
}

/** outcomeOf runs a command in the root and resolves to its exit code (or signal, or error code) and what it printed. */
export function outcomeOf(command, args, { env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    let output = '';
    const keep = (chunk) => (output = (output + chunk).slice(-MAX_OUTPUT_CHARS));
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => finish(error.code ?? error.message));
    child.on('close', (code, signal) => finish(signal ?? code));
    function finish(code) {
      running.delete(child);
      resolve({ code, output });
    }
  });
}

/** npmCommand is how to call the npm that called us, or else the one on the path. */
export function npmCommand(args) {
  const npm = process.env.npm_execpath;
  return npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
}

/** stopWithSignals ends what quietly() runs, and then this process, when it is told to stop; undone by the returned function. */
export function stopWithSignals() {
  const stop = (signal) => {
    for (const child of running) child.kill(signal);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return () => process.off('SIGINT', stop).off('SIGTERM', stop);
}

function tailOf(output) {
  return output.trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
}
