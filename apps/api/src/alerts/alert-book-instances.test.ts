import { Alerts, type State } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AlertBook } from './alert-book.js';
import { aBreach, historyOf, KeptAlerts, ledgerOf, RESOLVE_AFTER_MS } from './rig/kept-alerts.js';

let kept: KeptAlerts;
let state: State;
let books: [AlertBook, AlertBook];

beforeEach(async () => {
  kept = await KeptAlerts.open();
  state = await kept.state();
  books = [kept.book(state), kept.book(await kept.state())];
});
afterEach(() => kept.close());

const stored = () => new Alerts(state).list({ project: 'p', sinceMs: 0, limit: 100 });
const idOfOnly = async () => {
  const alerts = await stored();
  expect(alerts).toHaveLength(1);
  return alerts[0]?.id ?? '';
};

describe('two AlertBooks on one database', () => {
  it('make one alert and one event of breaches that both see at once', async () => {
    await Promise.all(books.flatMap((book) => Array.from({ length: 10 }, () => book.raise([aBreach()]))));
    expect(await historyOf(state)).toEqual([['fired']]);
    expect(await ledgerOf(state)).toEqual({ fired: 1 });
    expect(kept.told).toEqual(['fired']);
    expect(books.map((book) => book.size)).toEqual([1, 1]);
  });

  it('count a breach that met an alert of the other', async () => {
    const [one, two] = books;
    await one.raise([aBreach('low', { count: 4 })]);
    await two.raise([aBreach('low', { count: 2 })]);
    expect(two.firing('p')).toMatchObject([{ occurrences: 6 }]);
  });

  it('escalate once when both see it getting worse', async () => {
    await books[0].raise([aBreach('low')]);
    await books[1].raise([aBreach('low')]);
    await Promise.all(books.map((book) => book.raise([aBreach('critical')])));
    expect(await historyOf(state)).toEqual([['fired', 'escalated']]);
    expect(await ledgerOf(state)).toEqual({ fired: 1, escalated: 1 });
  });

  it('do not resolve early what the other saw broken a moment ago', async () => {
    const [one, two] = books;
    await one.raise([aBreach('low')]);
    await two.raise([aBreach('low')]);
    kept.clock.pass(RESOLVE_AFTER_MS - 1);
    await two.raise([aBreach('critical')]);
    kept.clock.pass(1);
    await one.sweep();
    expect(await historyOf(state)).toEqual([['fired', 'escalated']]);
    kept.clock.pass(RESOLVE_AFTER_MS);
    await Promise.all(books.map((book) => book.sweep()));
    expect(await historyOf(state)).toEqual([['fired', 'escalated', 'resolved']]);
    expect(books.map((book) => book.size)).toEqual([0, 0]);
  });

  it('resolve and acknowledge by hand what the other fired', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    const id = await idOfOnly();
    expect(await two.acknowledge('p', id, { by: 'ada', comment: null })).toMatchObject({
      outcome: 'done',
      alert: { acknowledged: { by: 'ada' } },
    });
    expect(await one.resolve('p', id, { by: 'bob', comment: null })).toMatchObject({
      outcome: 'done',
      alert: { resolvedBy: 'bob' },
    });
    expect(await two.resolve('p', id, { by: 'eve', comment: null })).toEqual({ outcome: 'already_resolved' });
    expect(await historyOf(state)).toEqual([['fired', 'acknowledged', 'resolved']]);
  });

  it('fire a new incident when the other resolved the one that this one knew', async () => {
    const [one, two] = books;
    await one.raise([aBreach('low')]);
    await two.resolve('p', await idOfOnly(), { by: 'ada', comment: null });
    await one.raise([aBreach('high')]);
    expect(await historyOf(state)).toEqual([['fired', 'resolved'], ['fired']]);
    expect((await stored()).map(({ incident, severity }) => [incident, severity]).sort()).toEqual([
      [1, 'low'],
      [2, 'high'],
    ]);
  });

  it('add up their counts', async () => {
    const [one, two] = books;
    await one.raise([aBreach('low')]);
    await two.raise([aBreach('low', { count: 9, value: 50 })]);
    await one.raise([aBreach('low')]);
    await two.saveCounts();
    await one.saveCounts();
    expect(await stored()).toMatchObject([{ occurrences: 11, peak: 50 }]);
  });
});
