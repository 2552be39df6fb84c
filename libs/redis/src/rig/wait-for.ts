import { setTimeout as sleep } from 'node:timers/promises';

/** waitFor looks at a condition every 2 ms until it holds, and throws past the deadline. */
export async function waitFor(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 10_000) {
  const end = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await sleep(2);
  }
}
