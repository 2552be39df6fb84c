import { Alerts, type State } from '@tidemark/state';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '../rig/wait-for.js';
import type { AlertBook } from './alert-book.js';
import { AlertKeeper } from './alert-keeper.js';
import { aBreach, KeptAlerts, REPEAT_MS, RESOLVE_AFTER_MS, slowed } from './rig/kept-alerts.js';

describe('AlertKeeper', () => {
  let kept: KeptAlerts;
  let state: State;
  let book: AlertBook;
  let keeper: AlertKeeper;
  /** What stands between a sweep that resolves the alert of model m and the database. */
  let channelsFor = async (): Promise<readonly string[]> => [];
  let looks = 0;
  const faults: string[] = [];

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    kept = await KeptAlerts.open();
    state = await kept.state();
    looks = 0;
    faults.length = 0;
    channelsFor = async () => [];
    book = kept.book(state, {
      channelsFor: () => channelsFor(),
      timingOf: (_project, modelId) => {
        if (modelId === 'busy') looks++; // each sweep looks at it once
        return { resolveAfterMs: RESOLVE_AFTER_MS, repeatIntervalMs: 1000 * REPEAT_MS };
      },
    });
    const log = pino({ base: null }, { write: (line: string) => void faults.push(line) });
    keeper = new AlertKeeper(book, log);
    await book.raise([aBreach(), aBreach('low', { modelId: 'busy' })]);
    kept.clock.pass(RESOLVE_AFTER_MS);
    await book.raise([aBreach('low', { modelId: 'busy' })]);
    looks = 0;
    keeper.start();
  });

  afterEach(async () => {
    await keeper.close();
    vi.useRealTimers();
    await kept.close();
  });

  async function savedOccurrences(): Promise<number | undefined> {
    const alerts = await new Alerts(state).list({ project: 'p', modelId: 'busy', sinceMs: 0, limit: 1 });
    return alerts[0]?.occurrences;
  }

  it('begins no sweep while one runs', async () => {
    const asked: (() => void)[] = [];
    channelsFor = () => new Promise((resolve) => asked.push(() => resolve([])));
    vi.advanceTimersByTime(60_000);
    await waitFor('the sweep to ask for channels', () => asked.length > 0);
    expect(looks).toBe(1);
    for (const go of asked) go();
    await waitFor('the alert to be resolved', () => book.size === 1);
    await waitFor('sweeps to go on', () => {
      vi.advanceTimersByTime(1000);
      return looks > 1;
    });
    expect(looks).toBe(2);
    expect(faults).toEqual([]);
  });

  it('saves the counts also when a sweep fails, and tells once of it and once of its end', async () => {
    channelsFor = () => Promise.reject(new Error('no channels can be read'));
    await waitFor('the counts to be saved', async () => {
      vi.advanceTimersByTime(1000);
      return (await savedOccurrences()) === 2;
    });
    expect(faults).toEqual([expect.stringContaining('no channels can be read')]);
    channelsFor = async () => [];
    await waitFor('a sweep that works', () => {
      vi.advanceTimersByTime(1000);
      return faults.length > 1;
    });
    expect(JSON.parse(faults[1] ?? '')).toMatchObject({ level: 30, msg: 'alerts are swept again' });
    expect(JSON.parse(faults[1] ?? '').failures).toBeGreaterThanOrEqual(5);
  });

  it('ends in order also where the counts cannot be saved, and tells so', async () => {
    let isFull = false;
    const before = async (): Promise<void> => {
      if (isFull) throw new Error('the disk is full');
    };
    const other = kept.book(slowed(state, before));
    await other.load();
    await other.raise([aBreach('low', { modelId: 'busy' })]);
    isFull = true;
    const log = pino({ base: null }, { write: (line: string) => void faults.push(line) });
    await new AlertKeeper(other, log).close();
    expect(faults).toEqual([expect.stringContaining('could not be saved at the end')]);
  });
});
