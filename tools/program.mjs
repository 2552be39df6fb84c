import { spawn } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { ROOT } from './command.mjs';

/** SAME_SIGNAL_MS: npm hands on a signal that the terminal or a supervisor has sent to all of us; it is one wish, not two. */
const SAME_SIGNAL_MS = 1000;

const LOOK_EVERY_MS = 250;

/**
 * npmAbove tells, whenever it is called, whether the npm that started this and the shell in between are still there; always
 * true where npm started nothing, or where that cannot be found out. To be made first of all: later they may be gone.
 * Many a shell becomes its only command. Then our parent is npm itself, and above it are the user's shell or a launcher,
 * which may end without us.
 */
export function npmAbove() {
  if (process.env.npm_lifecycle_event === undefined) return () => true;
  const { ppid } = process;
  const above = isNode(ppid) ? null : parentOf(ppid);
  return () => process.ppid === ppid && (above === null || parentOf(ppid) === above);
}

/**
 * runProgram runs a built program in this terminal until it ends, hands signals on to it, and exits as it did.
 * Ctrl-C on a terminal reaches the program by itself, as one of the foreground, so it is not handed on there. npm hands
 * SIGTERM on to its shell only, and SIGHUP to nobody: that `isNpmThere` is no more is the only sign of either.
 */
export function runProgram(file, args, isNpmThere = npmAbove()) {
  const child = spawn(process.execPath, [...nodeFlags(), file, ...args], { cwd: ROOT, stdio: 'inherit' });
  const lastMs = new Map();
  const forward = (signal) => {
    const nowMs = performance.now();
    const isSame = nowMs - (lastMs.get(signal) ?? -Infinity) < SAME_SIGNAL_MS;
    lastMs.set(signal, nowMs);
    if (isSame || (signal === 'SIGINT' && process.stdin.isTTY)) return;
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  const watch = setInterval(() => {
    if (isNpmThere()) return;
    clearInterval(watch);
    forward('SIGTERM');
  }, LOOK_EVERY_MS).unref();
  child.on('error', (error) => {
    process.stderr.write(`${file} could not be run: ${error.message}\n`);
    process.exit(1);
  });
  child.on('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/** The API runs with the flags that its package names: measured to hold memory down without costing throughput. */
function nodeFlags() {
  const { config } = JSON.parse(readFileSync(`${ROOT}/apps/api/package.json`, 'utf8'));
  return config.nodeFlags.split(' ');
}

/**
 * isNode tells whether a process runs npm's Node.js or ours; true also where it cannot be looked at. Its name would tell
 * nothing: npm writes its command there, and Node.js the name of a thread.
 */
function isNode(pid) {
  try {
    const file = readlinkSync(`/proc/${pid}/exe`);
    return [process.env.npm_node_execpath ?? process.execPath, process.execPath].some(
      (one) => realpathSync(one) === file,
    );
  } catch {
    return true;
  }
}

/** parentOf reads the parent of a process where there is a /proc, else null. The name before it may hold anything. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null;
  }
}
