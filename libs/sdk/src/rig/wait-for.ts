import { setTimeout as sleep } from 'node:timers/promises';

/** waitFor answers when `condition` holds; throws what it waited for after `deadlineMs`. */
export async function waitFor(what: string, condition: () => boolean, deadlineMs = 10_000): Promise<void> {
  const until = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > until) throw new Error(`waited in vain for ${what}`);
    await sleep(2);
  }
}
