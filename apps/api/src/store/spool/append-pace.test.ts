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

/** turn lets everything go on that can. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('lets one append after more than it was drained, and the next after that of both', async () => {
  const pace = new AppendPace(0);
  const [first, second] = [begin(pace, 100), begin(pace, 80)];
  pace.drained(124);
  await turn();
  expect(first.seen.went).toBeNull();
  pace.drained(1);
  expect(await first.ended).toBe(true);
  pace.drained(99);
  await turn();
  expect(second.seen.went).toBeNull();
  pace.drained(1);
  expect(await second.ended).toBe(true);
});

it('counts what was drained while nobody waited, up to the credit', async () => {
  const pace = new AppendPace(200);
  pace.drained(1_000_000);
  expect(await pace.wait(100, LONG_MS, NEVER)).toBe(true);
  const second = begin(pace, 100);
  pace.drained(49);
  await turn();
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
  pace.drained(13);
  expect(await next.ended).toBe(true);
});

it('has nobody overtake those who still wait when one gave up', async () => {
  const pace = new AppendPace(0);
  const [first, second] = [begin(pace, 1000, 10), begin(pace, 1000)];
  expect(await first.ended).toBe(false);
  const third = begin(pace, 10);
  pace.drained(2500);
  expect(await second.ended).toBe(true);
  await turn();
  expect(third.seen.went).toBeNull();
  pace.drained(13);
  expect(await third.ended).toBe(true);
});

it('lets everybody go at once when told to or aborted', async () => {
  const pace = new AppendPace(0);
  const all = [begin(pace, 10), begin(pace, 1e9)];
  pace.letAllGo();
  await Promise.all(all.map(({ ended }) => ended));
  const next = begin(pace, 10);
  pace.drained(13);
  expect(await next.ended).toBe(true);
  const stop = new AbortController();
  const stopped = begin(pace, 10, LONG_MS, stop.signal);
  stop.abort();
  expect(await stopped.ended).toBe(false);
});
