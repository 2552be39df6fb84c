import { setTimeout as sleep } from 'node:timers/promises';

/** until waits for a condition, looking every 2 ms, and throws when `ms` are over. */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await sleep(2);
  }
}
