import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { ROOT } from './command.mjs';

/** SAME_SIGNAL_MS: npm hands on a signal that the terminal or a supervisor has sent to all of us; it is one wish, not two. */
const SAME_SIGNAL_MS = 1000;

/**
 * runProgram runs a built program in this terminal until it ends, hands signals on to it, and exits as it did.
 * Ctrl-C on a terminal reaches the program by itself, as one of the foreground, so it is not handed on there.
 */
export function runProgram(file, args) {
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
