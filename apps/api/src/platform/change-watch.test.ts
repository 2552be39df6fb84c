import { randomBytes } from 'node:crypto';
import { canRun, createDatabase, type LocalServer, startPostgres } from '@tidemark/servers';
import { Keys, Models, Projects, Revisions, type State } from '@tidemark/state';
import { openPostgresState } from '@tidemark/state/postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { waitFor } from '../rig/wait-for.js';
import { ModelDirectory } from '../rules/model-directory.js';
import { ChangeWatch } from './change-watch.js';
import { StoredKeys } from './key-ring.js';
import type { Principal } from './principal.js';

const clock = new ManualClock();
const limits = { latency: 100, errorRate: 0.1, gpuMemory: 0.9, cpuUsage: 0.9, memoryUsage: 0.9 };
const aModel = (latency: number, id = 'm') => ({
  ...({ project: 'p', id, name: 'M', modelType: 'llm', version: '1', environment: 'dev' } as const),
  thresholds: { ...limits, latency },
});

describe.skipIf(!canRun('postgres'))('two instances on one database', () => {
  let server: LocalServer;
  let count = 0;
  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.close());

  async function twoStates(): Promise<readonly [State, State]> {
    const url = await createDatabase(server, `watch${count++}`);
    const states = [await openPostgresState({ url }), await openPostgresState({ url })] as const;
    onTestFinished(async () => void (await Promise.all(states.map((state) => state.close()))));
    return states;
  }
  const directoryOn = (state: State) => new ModelDirectory(new Models(state), new Projects(state));

  it('evaluate by what the other registered, changed and removed, and read it at once', async () => {
    const [here, there] = await twoStates();
    const [one, two] = [directoryOn(here), directoryOn(there)];
    const faults: unknown[] = [];
    const watch = new ChangeWatch({
      revisions: new Revisions(there),
      reload: { models: () => two.load() },
      everyMs: 10,
      onFault: (error) => faults.push(error),
      steadyMs: () => performance.now(),
    });
    onTestFinished(() => watch.close());
    await watch.start();
    await one.put(aModel(100), 1);
    expect(await two.storedOne('p', 'm')).toMatchObject({ thresholds: { latency: 100 } });
    await waitFor('the model', () => two.thresholdsOf('p', 'm')?.latency === 100);
    await one.put(aModel(200), 2);
    expect(await two.stored('p')).toMatchObject([{ thresholds: { latency: 200 } }]);
    await waitFor('the new limit', () => two.thresholdsOf('p', 'm')?.latency === 200);
    await one.remove('p', 'm');
    expect(await two.stored('p')).toEqual([]);
    await waitFor('the removal', () => two.thresholdsOf('p', 'm') === null);
    expect(faults).toEqual([]);
  });

  it('agree in the end, however their changes cross', async () => {
    const [here, there] = await twoStates();
    const directories = [directoryOn(here), directoryOn(there)];
    const watches = directories.map(
      (directory, i) =>
        new ChangeWatch({
          revisions: new Revisions(i === 0 ? here : there),
          reload: { models: () => directory.load() },
          onFault: () => undefined,
          steadyMs: () => performance.now(),
        }),
    );
    for (let round = 0; round < 15; round++) {
      await Promise.all([
        ...directories.map((directory, i) => directory.put(aModel(10 * round + i, `m${round % 2}`), round)),
        ...directories.map((directory, i) => round % 5 === i && directory.remove('p', 'm1')),
        ...watches.map((watch) => watch.look()),
      ]);
      // A model that this instance has acknowledged is never forgotten, not even while the models are read.
      const known = await new Models(here).list('p');
      for (const watch of watches) await watch.look();
      for (const directory of directories) {
        for (const id of ['m0', 'm1']) {
          const stored = known.find((model) => model.id === id)?.thresholds.latency ?? null;
          expect(directory.thresholdsOf('p', id)?.latency ?? null).toBe(stored);
        }
      }
    }
  });

  it('let nobody in any more whose key the other revoked, and end what they had open', async () => {
    const [here, there] = await twoStates();
    const [mine, theirs] = [new Keys(here), new Keys(there)];
    const ring = await StoredKeys.open(theirs, clock);
    const ended: string[] = [];
    const open: Principal[] = [{ project: 'p', keyId: null, scopes: [] }];
    const reload = async () => {
      const isOver = await ring.reload();
      ended.push(...open.filter(isOver).map(({ keyId }) => keyId ?? 'nobody'));
    };
    const watch = new ChangeWatch({
      revisions: new Revisions(there),
      reload: { keys: reload },
      onFault: () => undefined,
      steadyMs: () => performance.now(),
    });
    await watch.start();
    onTestFinished(() => watch.close());
    expect(ended).toEqual([]);
    const input = { project: 'p', name: 'k', scopes: ['read'], nowMs: clock.wallMs(), random: randomBytes } as const;
    const { key, text } = await mine.create(input);
    await watch.look();
    expect(ended).toEqual(['nobody']);
    expect(ring.isEmpty()).toBe(false);
    expect(await ring.verify(text)).toMatchObject({ keyId: key.id });
    open.splice(0, 1, { project: 'p', keyId: key.id, scopes: ['read'] });
    await mine.revoke('p', key.id, clock.wallMs());
    await watch.look();
    expect(ended).toEqual(['nobody', key.id]);
    expect(await ring.verify(text)).toBeNull();
  });

  it('know of each other at once where they ask, however many ask together', async () => {
    const [here, there] = await twoStates();
    const [one, two] = [directoryOn(here), directoryOn(there)];
    let reads = 0;
    const watch = new ChangeWatch({
      revisions: {
        read: () => {
          reads++;
          return new Revisions(there).read();
        },
      },
      reload: { models: () => two.load() },
      everyMs: 1_000_000,
      onFault: () => undefined,
      steadyMs: () => performance.now(),
    });
    onTestFinished(() => watch.close());
    await watch.start();
    for (let round = 1; round <= 20; round++) {
      await one.put(aModel(round), round);
      const asked = Array.from({ length: 50 }, () => watch.fresh());
      await Promise.all(asked);
      expect(two.thresholdsOf('p', 'm')?.latency).toBe(round);
    }
    expect(reads).toBeLessThanOrEqual(21);
  });

  it('wait for no database that does not answer', async () => {
    const watch = new ChangeWatch({
      revisions: { read: () => new Promise(() => undefined) },
      reload: {},
      onFault: () => undefined,
      steadyMs: () => performance.now(),
    });
    await watch.fresh();
    await watch.fresh();
  });

  it('try again at the next look what could not be read, and say so once', async () => {
    const [here] = await twoStates();
    const faults: unknown[] = [];
    let reads = 0;
    const reload = async () => {
      if (reads++ < 2) throw new Error('no answer');
    };
    const watch = new ChangeWatch({
      revisions: new Revisions(here),
      reload: { models: reload },
      onFault: (error) => faults.push(error),
      steadyMs: () => performance.now(),
    });
    for (let looks = 0; looks < 5; looks++) await watch.look();
    expect([reads, faults.length]).toEqual([3, 1]);
  });
});
