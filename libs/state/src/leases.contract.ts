import { describe, expect, it, onTestFinished } from 'vitest';
import { type MakeEngine, useState } from './engine.contract.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Leases } from './leases.js';
import { until } from './rig/until.js';

const HELD = { outcome: 'held' };
const heldBy = (holder: string | null) => ({ outcome: 'refused', code: 'held_by_other', holder });

/** describePort states what holds for leases on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);
  const ask = (holder: string, ttlMs = 60_000) => ({ name: 'sweep', holder, ttlMs });

  describe('a lease', () => {
    it('is given to one of many who ask at once, and prolonged for that one only', async () => {
      const handles = [new Leases(state()), new Leases(await another())];
      const outcomes = await Promise.all(
        handles.flatMap((leases, i) => Array.from({ length: 5 }, (_, k) => leases.acquire(ask(`h${i}${k}`)))),
      );
      expect(outcomes.filter(({ outcome }) => outcome === 'held')).toHaveLength(1);
      const winner = (await state().db.selectFrom('leases').select('holder').executeTakeFirst())?.holder ?? '';
      expect(await handles[1]?.acquire(ask(winner))).toEqual(HELD);
      expect(await handles[0]?.renew(ask(winner))).toEqual(HELD);
      expect(await handles[0]?.renew(ask('other'))).toEqual(heldBy(winner));
      expect(await handles[0]?.acquire({ ...ask('other'), name: 'something else' })).toEqual(HELD);
    });

    it('goes to another when it is released, and only its holder can release it', async () => {
      const leases = new Leases(state());
      await leases.acquire(ask('one'));
      await leases.release('sweep', 'two');
      expect(await leases.acquire(ask('two'))).toEqual(heldBy('one'));
      await leases.release('sweep', 'one');
      expect(await leases.acquire(ask('two'))).toEqual(HELD);
    });

    it('goes to another when it ran out, and is then not renewed by the one who slept', async () => {
      const leases = new Leases(state());
      await leases.acquire(ask('one', 1));
      await until('the end of the lease', async () => (await leases.renew(ask('one', 1))).outcome === 'refused');
      expect(await leases.renew(ask('one'))).toEqual(heldBy('one'));
      await until('the other holder', async () => (await leases.acquire(ask('two'))).outcome === 'held');
      expect(await leases.acquire(ask('one'))).toEqual(heldBy('two'));
    });
  });

  describe('two keepers', () => {
    it('take turns: the other has it when the holder closes, and when the holder dies', async () => {
      const handles = [new Leases(state()), new Leases(await another()), new Leases(await another())];
      const changes: string[] = [];
      const keepers = handles.map((leases, i) => {
        const onChange = (isHolder: boolean) => changes.push(`${i} ${isHolder ? 'on' : 'off'}`);
        const times = { ttlMs: 300, everyMs: 20, steadyMs: () => performance.now() };
        return new LeaseKeeper({ leases, name: 'sweep', holder: `k${i}`, onChange, ...times });
      });
      const [first, second, third] = keepers;
      if (!first || !second || !third) throw new Error('unreachable');
      onTestFinished(() => Promise.all(keepers.map((keeper) => keeper.close())).then(() => undefined));
      await first.start();
      await second.start();
      expect(keepers.map((keeper) => keeper.isHolder())).toEqual([true, false, false]);
      await first.close();
      expect(first.isHolder()).toBe(false);
      await until('the second', () => second.isHolder());
      second.ask = async () => undefined; // killed: it asks no more and releases nothing
      await third.start();
      await until('the third', () => {
        expect([second.isHolder(), third.isHolder()]).not.toEqual([true, true]);
        return third.isHolder();
      });
      expect(second.isHolder()).toBe(false);
      expect(changes).toEqual(['0 on', '0 off', '1 on', '1 off', '2 on']);
    });

    it('stop believing by their own clock before the lease ends, whatever the database does', async () => {
      let steadyMs = 0;
      const leases = new Leases(state());
      const faults: unknown[] = [];
      let isLost = false;
      const keeper = new LeaseKeeper({
        leases: {
          acquire: async (request) => {
            const outcome = isLost ? Promise.reject(new Error('no answer')) : leases.acquire(request);
            steadyMs += 1_000; // The answer took so long: the lease may have begun at any time of it.
            return outcome;
          },
          release: (name, holder) => leases.release(name, holder),
        },
        ...{ name: 'sweep', holder: 'k', steadyMs: () => steadyMs, ttlMs: 10_000, everyMs: 1e6 },
        onFault: (error) => faults.push(error),
      });
      onTestFinished(() => keeper.close());
      await keeper.start();
      steadyMs = 7_999;
      expect(keeper.isHolder()).toBe(true);
      isLost = true;
      await keeper.ask();
      expect(faults).toHaveLength(1);
      expect(keeper.isHolder()).toBe(false);
      isLost = false;
      await keeper.ask();
      expect(keeper.isHolder()).toBe(true);
    });
  });
}
