import { setTimeout as pause } from 'node:timers/promises';

/** until looks at a condition every few milliseconds until it holds, and throws past the deadline. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 20_000) {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await pause(2);
  }
}
