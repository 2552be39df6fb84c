import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 25;

/**
 * waitFor looks until the condition answers something truthy and answers that; after `deadlineMs` it throws an Error that
 * names what was waited for and what was seen last. A condition that throws is one that does not hold yet.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 30_000,
): Promise<NonNullable<T>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    let seen: unknown;
    try {
      const value = await condition();
      if (value) return value;
      seen = value;
    } catch (error) {
      seen = error;
    }
    if (performance.now() >= endMs) throw new Error(`waited ${deadlineMs} ms for ${what}`, { cause: seen });
    await pause(POLL_MS);
  }
}
