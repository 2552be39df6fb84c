import { canRun, createDatabase, type LocalServer, startPostgres } from '@tidemark/servers';
import { Alerts, LeaseKeeper, Leases, type State } from '@tidemark/state';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../rig/wait-for.js';
import { type AlertBook, SHARED_GRACE_MS } from './alert-book.js';
import { aBreach, historyOf, KeptAlerts, ledgerOf, REPEAT_MS, RESOLVE_AFTER_MS, slowed } from './rig/kept-alerts.js';

const QUIET_MS = RESOLVE_AFTER_MS + SHARED_GRACE_MS;
let server: LocalServer;
let databases = 0;
let kept: KeptAlerts;
let states: [State, State];
let books: [AlertBook, AlertBook];

const stored = () => new Alerts(states[0]).list({ project: 'p', sinceMs: 0, limit: 100 });
const only = async () => {
  const alerts = await stored();
  const [alert] = alerts;
  if (!alert || alerts.length > 1) throw new Error(`${alerts.length} alerts`);
  return alert;
};
/** Lets time go by as it does: with a look at the others every second or so. */
const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 4000) {
    kept.clock.pass(Math.min(4000, left));
    await Promise.all(books.map((book) => book.follow()));
  }
};

describe.skipIf(!canRun('postgres'))('two AlertBooks on one PostgreSQL', () => {
  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.close());
  beforeEach(async () => {
    kept = await KeptAlerts.open(await createDatabase(server, `alerts${databases++}`));
    states = [await kept.state(), await kept.state()];
    const shared = { graceMs: SHARED_GRACE_MS };
    books = [kept.book(states[0], shared), kept.book(states[1], shared)];
    await Promise.all(books.map((book) => book.follow()));
  });
  afterEach(() => kept.close());

  it('make one alert and one event of breaches that both see at once, and lose no count', async () => {
    await Promise.all(books.flatMap((book) => Array.from({ length: 10 }, () => book.raise([aBreach()]))));
    expect(await historyOf(states[0])).toEqual([['fired']]);
    expect(await ledgerOf(states[0])).toEqual({ fired: 1 });
    await Promise.all(books.map((book) => book.saveCounts()));
    expect(await only()).toMatchObject({ occurrences: 20 });
    await Promise.all(books.map((book) => book.follow()));
    for (const book of books) expect(book.firing('p')).toMatchObject([{ occurrences: 20 }]);
  });

  it('add every count once, however saves, steps and looks cross', async () => {
    const [one, two] = books;
    let counted = 0;
    const severities = ['low', 'medium', 'high', 'critical'] as const;
    for (let round = 0; round < 12; round++) {
      const breaches = books.flatMap((book) =>
        Array.from({ length: 3 }, () => book.raise([aBreach(severities[Math.floor(round / 3)])])),
      );
      counted += 6;
      await Promise.all([
        one.saveCounts(),
        ...breaches,
        two.saveCounts(),
        one.follow(),
        two.follow(),
        one.saveCounts(),
      ]);
    }
    await Promise.all(books.map((book) => book.saveCounts()));
    expect(await only()).toMatchObject({ occurrences: counted, severity: 'critical' });
    expect(await historyOf(states[0])).toEqual([['fired', 'escalated', 'escalated', 'escalated']]);
  });

  it('learn what the other fired, escalated, acknowledged and resolved', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    expect(two.size).toBe(0);
    expect(await two.countFiring('p')).toBe(1);
    await two.follow();
    expect(two.firing('p')).toMatchObject([{ severity: 'low' }]);
    await two.raise([aBreach('high')]);
    const { id } = await only();
    await two.acknowledge('p', id, { by: 'ada', comment: null });
    expect(one.current(await only())).toMatchObject({ severity: 'high', acknowledged: { by: 'ada' } });
    await one.follow();
    expect(one.firing('p')).toMatchObject([{ severity: 'high', acknowledged: { by: 'ada' } }]);
    await one.resolve('p', id, { by: 'bob', comment: null });
    await two.follow();
    expect(two.size).toBe(0);
  });

  it('do not resolve what the other counts breaches of', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    await pass(RESOLVE_AFTER_MS - 1000);
    await one.raise([aBreach()]);
    await one.saveCounts();
    await pass(QUIET_MS - 1000);
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired']]);
    await pass(2000 + 4000); // what the other saw it heard of at its next look
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired', 'resolved']]);
    expect(await only()).toMatchObject({ occurrences: 2 });
  });

  it('do not resolve what the other saw broken after their last look', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    await pass(QUIET_MS);
    await one.raise([aBreach()]);
    await one.saveCounts();
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired']]);
  });

  it('take no time for quiet in which they could hear nothing', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    await two.follow();
    kept.clock.pass(2 * QUIET_MS);
    await two.follow();
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired']]);
    await pass(QUIET_MS);
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired', 'resolved']]);
  });

  it('do not go on counting what the other resolved by hand', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    await one.raise([aBreach('low', { count: 5 })]);
    kept.clock.pass(1);
    await two.resolve('p', (await only()).id, { by: 'ada', comment: null });
    await one.saveCounts();
    expect(one.size).toBe(0);
    expect(await only()).toMatchObject({ occurrences: 1, resolvedBy: 'ada' });
    await one.raise([aBreach()]);
    expect(await historyOf(states[0])).toEqual([['fired', 'resolved'], ['fired']]);
  });

  it.each(['follow', 'saveCounts'] as const)(
    'fire anew for a breach that was counted after the other had resolved (%s)',
    async (learnBy) => {
      const [one, two] = books;
      await one.raise([aBreach()]);
      await two.resolve('p', (await only()).id, { by: 'ada', comment: null });
      kept.clock.pass(1);
      await one.raise([aBreach('low', { count: 3 })]);
      await one[learnBy]();
      expect(await historyOf(states[0])).toEqual([['fired', 'resolved'], ['fired']]);
      expect(one.firing('p')).toMatchObject([{ incident: 2, occurrences: 3 }]);
    },
  );

  it('remind once, whoever sweeps', async () => {
    const [one, two] = books;
    await one.raise([aBreach()]);
    const broken = async (ms: number) => {
      for (let left = ms; left > 0; left -= 200_000) {
        await pass(Math.min(200_000, left));
        await one.raise([aBreach()]);
        await one.saveCounts();
      }
    };
    await broken(REPEAT_MS);
    await Promise.all(books.map((book) => book.sweep()));
    await Promise.all(books.map((book) => book.follow()));
    await two.sweep();
    await one.sweep();
    expect(await historyOf(states[0])).toEqual([['fired', 'repeated']]);
    await broken(REPEAT_MS - 1000);
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired', 'repeated']]);
    await broken(1000);
    await two.sweep();
    expect(await historyOf(states[0])).toEqual([['fired', 'repeated', 'repeated']]);
    expect(await ledgerOf(states[0])).toEqual({ fired: 1, repeated: 2 });
  });

  it('are swept by the other when the one that held the lease died', async () => {
    const keepers = states.map((state, i) => {
      const times = { ttlMs: 3000, everyMs: 20, steadyMs: () => performance.now() };
      return new LeaseKeeper({ leases: new Leases(state), name: 'alerts', holder: `i${i}`, ...times });
    });
    onTestFinished(async () => void (await Promise.all(keepers.map((keeper) => keeper.close()))));
    for (const keeper of keepers) await keeper.start();
    const turn = async (i: 0 | 1) => {
      await books[i].follow();
      if (keepers[i]?.isHolder()) await books[i].sweep();
    };
    await books[0].raise([aBreach()]);
    await pass(QUIET_MS + 4000);
    await turn(1);
    expect(await historyOf(states[0])).toEqual([['fired']]);
    const [holder] = keepers;
    if (holder) holder.ask = async () => undefined; // dead: it asks no more and releases nothing
    await waitFor('the other to sweep', async () => {
      await turn(1);
      return books[1].size === 0;
    });
    expect(await historyOf(states[0])).toEqual([['fired', 'resolved']]);
  });

  it('keep their counts when the database is lost, and save them when it is back', async () => {
    let isLost = false;
    const state = slowed(states[0], async () => {
      if (isLost) throw new Error('no answer');
    });
    const one = kept.book(state, { graceMs: SHARED_GRACE_MS });
    await one.raise([aBreach()]);
    await one.raise([aBreach('low', { count: 4 })]);
    isLost = true;
    await expect(one.saveCounts()).rejects.toThrow('no answer');
    await one.raise([aBreach('low', { count: 2 })]);
    isLost = false;
    await one.saveCounts();
    expect(await only()).toMatchObject({ occurrences: 7 });
  });
});
