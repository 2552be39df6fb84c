import { expect, it } from 'vitest';
import { AppendPace } from './append-pace.js';

const NEVER = new AbortController().signal;
const LONG_MS = 60_000;

/** begin begins to wait, and answers what has become of it so far. */
function begin(pace: AppendPace, bytes: number, ms = LONG_MS, signal = NEVER) {
  const seen: { went: boolean | null } = { went: null };
  const ended = pace.wait(bytes, ms, signal).then((isDraining) => (seen.went = isDraining));
  return { seen, ended };
}

it('lets one append after twice of it was drained, and the next after twice of both', async () => {
  const pace = new AppendPace(0);
  const [first, second] = [begin(pace, 100), begin(pace, 50)];
  pace.drained(199);
  await Promise.resolve();
  expect(first.seen.went).toBeNull();
  pace.drained(1);
  expect(await first.ended).toBe(true);
  expect(second.seen.went).toBeNull();
  pace.drained(100);
  expect(await second.ended).toBe(true);
});

it('counts what was drained while nobody waited, up to the credit', async () => {
  const pace = new AppendPace(300);
  pace.drained(1_000_000);
  expect(await pace.wait(100, LONG_MS, NEVER)).toBe(true);
  const second = begin(pace, 100);
  pace.drained(99);
  await Promise.resolve();
  expect(second.seen.went).toBeNull();
  pace.drained(1);
  expect(await second.ended).toBe(true);
});

it('lets go when the time is over, tells whether anything was drained, and forgives the rest', async () => {
  const pace = new AppendPace(0);
  expect(await pace.wait(1000, 10, NEVER)).toBe(false);
  const slow = begin(pace, 1000, 20);
  pace.drained(10);
  expect(await slow.ended).toBe(true);
  const next = begin(pace, 10);
  pace.drained(20);
  expect(await next.ended).toBe(true);
});

it('lets everybody go at once when told to or aborted', async () => {
  const pace = new AppendPace(0);
  const all = [begin(pace, 10), begin(pace, 1e9)];
  pace.letAllGo();
  await Promise.all(all.map(({ ended }) => ended));
  const next = begin(pace, 10);
  pace.drained(20);
  expect(await next.ended).toBe(true);
  const stop = new AbortController();
  const stopped = begin(pace, 10, LONG_MS, stop.signal);
  stop.abort();
  expect(await stopped.ended).toBe(false);
});
