import { type Alert, Alerts, type State } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertBook } from './alert-book.js';
import { aBreach, historyOf, KeptAlerts, ledgerOf, REPEAT_MS, RESOLVE_AFTER_MS, slowed } from './rig/kept-alerts.js';

let kept: KeptAlerts;
let state: State;
let book: AlertBook;

beforeEach(async () => {
  kept = await KeptAlerts.open();
  state = await kept.state();
  book = kept.book(state);
});
afterEach(() => kept.close());

const stored = () => new Alerts(state).list({ project: 'p', sinceMs: 0, limit: 100 });
const only = async (): Promise<Alert> => {
  const [alert, ...others] = await stored();
  if (!alert || others.length > 0) throw new Error(`${others.length + (alert ? 1 : 0)} alerts`);
  return alert;
};

describe('AlertBook', () => {
  it('commits an alert with its event and a delivery a channel before a breach is answered', async () => {
    kept.channels = ['c1', 'c2'];
    await book.raise([aBreach('high')]);
    expect(await only()).toMatchObject({
      severity: 'high',
      occurrences: 1,
      resolvedMs: null,
      startedMs: kept.clock.wallMs(),
    });
    expect(await historyOf(state)).toEqual([['fired']]);
    expect(await ledgerOf(state)).toEqual({ fired: 2 });
    expect(kept.told).toEqual(['fired']);
    expect(book.size).toBe(1);
  });

  it('makes one alert of a hundred breaches at once, and counts them all', async () => {
    await Promise.all(Array.from({ length: 100 }, () => book.raise([aBreach('low', { count: 3 })])));
    expect(await historyOf(state)).toEqual([['fired']]);
    expect(book.current(await only()).occurrences).toBe(300);
  });

  it('makes an alert for each rule, model and project', async () => {
    await book.raise([
      aBreach(),
      aBreach('low', { rule: 'error_rate' }),
      aBreach('low', { modelId: 'n' }),
      aBreach('low', { project: 'q' }),
    ]);
    expect(book.size).toBe(4);
    expect([book.countFiring('p'), book.countFiring('p', 'm'), book.countFiring('q'), book.countFiring('r')]).toEqual([
      3, 2, 1, 0,
    ]);
    expect(book.firing('q').map(({ project }) => project)).toEqual(['q']);
  });

  it('answers a breach that comes during a commit only when that commit is done', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = kept.book(slowed(state, () => gate));
    const answered: number[] = [];
    const raised = [1, 2].map((i) => slow.raise([aBreach()]).then(() => answered.push(i)));
    await new Promise(setImmediate);
    expect(answered).toEqual([]);
    expect(await stored()).toEqual([]);
    release();
    await Promise.all(raised);
    expect(slow.current(await only()).occurrences).toBe(2);
  });

  it('fires by the next breach when a commit failed, and tells the first of the failure', async () => {
    let faults = 1;
    const shaky = kept.book(
      slowed(state, async () => {
        if (faults-- > 0) throw new Error('disk full');
      }),
    );
    const outcomes = await Promise.allSettled([shaky.raise([aBreach()]), shaky.raise([aBreach()])]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await historyOf(state)).toEqual([['fired']]);
  });

  it('writes nothing for breaches that change nothing, until the counts are saved', async () => {
    await book.raise([aBreach('high')]);
    for (let i = 0; i < 50; i++) await book.raise([aBreach('low', { value: 10 + i })]);
    expect(await only()).toMatchObject({ occurrences: 1, version: 1 });
    await book.saveCounts();
    expect(await only()).toMatchObject({ occurrences: 51, value: 59, peak: 59, version: 1, severity: 'high' });
    expect(kept.told).toEqual(['fired']);
  });

  it('tries to save counts again that could not be saved', async () => {
    let isAway = false;
    const shaky = kept.book(
      slowed(state, async () => {
        if (isAway) throw new Error('busy');
      }),
    );
    await shaky.raise([aBreach()]);
    await shaky.raise([aBreach()]);
    isAway = true;
    await expect(shaky.saveCounts()).rejects.toThrow('busy');
    isAway = false;
    await shaky.saveCounts();
    expect((await only()).occurrences).toBe(2);
  });

  it('escalates with a delivery when the severity rises, and carries the counts along', async () => {
    await book.raise([aBreach('low')]);
    await book.raise([aBreach('low')]);
    await book.raise([aBreach('critical')]);
    expect(await only()).toMatchObject({ severity: 'critical', occurrences: 3, version: 2 });
    expect(await historyOf(state)).toEqual([['fired', 'escalated']]);
    expect(await ledgerOf(state)).toEqual({ fired: 1, escalated: 1 });
  });

  it('resolves what was quiet long enough, and fires a new incident by the next breach', async () => {
    await book.raise([aBreach()]);
    kept.clock.pass(RESOLVE_AFTER_MS - 1);
    await book.raise([aBreach()]);
    kept.clock.pass(RESOLVE_AFTER_MS - 1);
    await book.sweep();
    expect(book.size).toBe(1);
    kept.clock.pass(1);
    await book.sweep();
    expect(book.size).toBe(0);
    expect(await only()).toMatchObject({ resolvedMs: kept.clock.wallMs(), resolvedBy: null, occurrences: 2 });
    await book.raise([aBreach()]);
    expect(await historyOf(state)).toEqual([['fired', 'resolved'], ['fired']]);
    expect(await ledgerOf(state)).toEqual({ fired: 2, resolved: 1 });
  });

  it('repeats what goes on unseen, and stops when somebody acknowledged', async () => {
    const goOn = async () => {
      for (let i = 0; i < REPEAT_MS; i += RESOLVE_AFTER_MS / 2) {
        kept.clock.pass(RESOLVE_AFTER_MS / 2);
        await book.raise([aBreach()]);
        await book.sweep();
      }
    };
    await book.raise([aBreach()]);
    await goOn();
    await goOn();
    expect(await historyOf(state)).toEqual([['fired', 'repeated', 'repeated']]);
    const outcome = await book.acknowledge('p', (await only()).id, { by: 'ada', comment: 'on it' });
    expect(outcome).toMatchObject({ outcome: 'done', alert: { acknowledged: { by: 'ada', comment: 'on it' } } });
    await goOn();
    expect(await historyOf(state)).toEqual([['fired', 'repeated', 'repeated', 'acknowledged']]);
    expect(await ledgerOf(state)).toEqual({ fired: 1, repeated: 2 });
  });

  it('resolves by hand once, whoever asks and however often', async () => {
    await book.raise([aBreach()]);
    const { id } = await only();
    const mark = { by: 'ada', comment: 'rolled back' };
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => book.resolve('p', id, mark)));
    expect(outcomes.every(({ outcome }) => outcome === 'done' || outcome === 'already_resolved')).toBe(true);
    expect(await book.resolve('p', id, mark)).toEqual({ outcome: 'already_resolved' });
    expect(await book.acknowledge('p', id, mark)).toEqual({ outcome: 'already_resolved' });
    expect(await only()).toMatchObject({ resolvedBy: 'ada', resolveComment: 'rolled back' });
    expect(await historyOf(state)).toEqual([['fired', 'resolved']]);
  });

  it('knows neither the alerts of another project nor those that never were', async () => {
    await book.raise([aBreach()]);
    const { id } = await only();
    expect(await book.resolve('q', id, { by: null, comment: null })).toEqual({ outcome: 'not_found' });
    expect(await book.acknowledge('p', 'no-such-alert', { by: 'ada', comment: null })).toEqual({
      outcome: 'not_found',
    });
  });

  it.each([3_600_000, -3_600_000])('misses and doubles nothing when the wall clock moves by %d ms', async (jumpMs) => {
    await book.raise([aBreach()]);
    kept.clock.jump(jumpMs);
    await book.sweep();
    await book.raise([aBreach()]);
    expect(await historyOf(state)).toEqual([['fired']]);
    kept.clock.pass(RESOLVE_AFTER_MS - 1);
    await book.sweep();
    expect(book.size).toBe(1);
    kept.clock.jump(-jumpMs);
    kept.clock.pass(1);
    await book.sweep();
    await book.raise([aBreach()]);
    expect(await historyOf(state)).toEqual([['fired', 'resolved'], ['fired']]);
    expect(await ledgerOf(state)).toEqual({ fired: 2, resolved: 1 });
  });

  it('goes on with what was firing after a restart, and does not take the time it was away for quiet', async () => {
    await book.raise([aBreach('high')]);
    await book.raise([aBreach('high')]);
    await book.saveCounts();
    kept.clock.pass(10 * RESOLVE_AFTER_MS);
    const next = kept.book(await kept.state());
    await next.load();
    await next.sweep();
    expect(next.countFiring('p')).toBe(1);
    await next.raise([aBreach('high')]);
    expect(next.current(await only()).occurrences).toBe(3);
    expect(await historyOf(state)).toEqual([['fired']]);
    kept.clock.pass(RESOLVE_AFTER_MS);
    await next.sweep();
    expect(await historyOf(state)).toEqual([['fired', 'resolved']]);
  });

  it('repeats after a restart when it is time, counted from the last notification', async () => {
    await book.raise([aBreach()]);
    kept.clock.pass(REPEAT_MS - 1000);
    const next = kept.book(await kept.state());
    await next.load();
    await next.sweep();
    expect(await historyOf(state)).toEqual([['fired']]);
    kept.clock.pass(1000);
    await next.sweep();
    expect(await historyOf(state)).toEqual([['fired', 'repeated']]);
  });
});
