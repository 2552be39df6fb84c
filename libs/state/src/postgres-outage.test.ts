import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { canRun } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Keys } from './keys.js';
import { openPostgresState } from './postgres-state.js';
import { Projects } from './projects.js';
import { usePostgres } from './rig/postgres.js';
import { SilentNetwork } from './rig/silent-network.js';
import { until } from './rig/until.js';

describe.skipIf(!canRun('postgres'))('a PostgreSQL that is lost', () => {
  const postgres = usePostgres();
  it('fails what needs it, takes nothing else down, and is used again when it is back', async () => {
    const faults: Error[] = [];
    const url = await postgres.emptyDatabase();
    const state = await openPostgresState({ url, onFault: (error) => faults.push(error) });
    onTestFinished(() => state.close());
    const projects = new Projects(state);
    const acknowledged: string[] = [];
    const errors: unknown[] = [];
    let isOver = false;
    const load = Array.from({ length: 12 }, async (_, worker) => {
      for (let i = 0; !isOver; i++) {
        const id = `w${worker}-${i}`;
        const query = state.db.insertInto('projects').values({ id, created_ms: 1 }).compile();
        // In turns alone, with an expectation, and read: each its own way to use a connection.
        const work = i % 3 === 2 ? projects.list() : state.write([i % 3 ? { query } : { query, expect: 1 }]);
        await work.then(
          () => i % 3 !== 2 && acknowledged.push(id),
          async (error: unknown) => {
            errors.push(error);
            await pause(5);
          },
        );
      }
    });
    try {
      await until('some writes', () => acknowledged.length > 50);
      await postgres.server().kill();
      const before = errors.length;
      await until('clear errors', () => errors.length > before + 20);
      await postgres.server().start();
      const known = acknowledged.length;
      await until('writes that work again', () => acknowledged.length > known + 20);
    } finally {
      isOver = true;
      await Promise.all(load);
    }
    for (const error of errors) expect(error).toBeInstanceOf(Error);
    const kept = new Set((await projects.list()).map(({ id }) => id));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  });

  it('is waited for at the start, and not when what it answers is final', async () => {
    const url = await postgres.emptyDatabase();
    await postgres.server().kill();
    await expect(openPostgresState({ url })).rejects.toThrow('could not be opened');
    const reasons: string[] = [];
    const opening = openPostgresState({ url, patienceMs: 60_000, onWait: (reason) => reasons.push(reason) });
    await until('it to be waited for', () => reasons.length > 0);
    await postgres.server().start();
    await (await opening).close();
    expect(reasons).toEqual([expect.stringContaining('PostgreSQL does not answer')]);
    const missing = openPostgresState({
      url: `${url}_missing`,
      patienceMs: 60_000,
      onWait: (reason) => reasons.push(reason),
    });
    await expect(missing).rejects.toThrow('could not be opened');
    expect(reasons).toHaveLength(1);
  });

  it('that does not answer any more is waited for so long and no longer', async () => {
    const direct = await postgres.emptyDatabase();
    const network = await SilentNetwork.open(postgres.server().place.port);
    onTestFinished(() => network.close());
    const url = direct.replace(/:\d+\//, `:${network.port}/`);
    const limits = { statementTimeoutMs: 1000, connectTimeoutMs: 1000, maxConnections: 2 };
    const state = await openPostgresState({ url, ...limits });
    onTestFinished(() => state.close());
    const projects = new Projects(state);
    await Promise.all([projects.ensure('a', 1), projects.ensure('b', 1)]);
    network.fallSilent();
    const asked = [...Array.from({ length: 6 }, () => projects.list()), projects.ensure('c', 1)];
    for (const answer of await Promise.allSettled(asked)) expect(answer.status).toBe('rejected');
    network.speak();
    await until('an answer', async () => (await projects.list().catch(() => [])).length === 2);
  });

  it('is done without by keys that it knew, for a while, and by no other', async () => {
    const direct = await postgres.emptyDatabase();
    const network = await SilentNetwork.open(postgres.server().place.port);
    onTestFinished(() => network.close());
    const url = direct.replace(/:\d+\//, `:${network.port}/`);
    const limits = { statementTimeoutMs: 1000, connectTimeoutMs: 1000, maxConnections: 2 };
    const [here, elsewhere] = [await openPostgresState({ url, ...limits }), await openPostgresState({ url: direct })];
    onTestFinished(async () => void (await Promise.all([here.close(), elsewhere.close()])));
    await new Projects(here).ensure('p', 1);
    const [keys, others] = [new Keys(here), new Keys(elsewhere)];
    const make = (name: string) => keys.create({ project: 'p', name, scopes: ['read'], nowMs: 0, random: randomBytes });
    const [kept, revoked, dropped] = [await make('kept'), await make('revoked'), await make('dropped')];
    const isMine = async (text: string, nowMs: number) => (await keys.verify(text, nowMs)) !== null;
    for (const { text } of [kept, revoked, dropped]) expect(await isMine(text, 1)).toBe(true);
    expect(await keys.revoke('p', dropped.key.id, 2)).toBe(true);
    expect(await isMine(kept.text, 3)).toBe(true);

    network.fallSilent();
    await others.revoke('p', revoked.key.id, 4);
    const outage = 9 * 60_000;
    for (const atMs of [10_000, 20_000, outage]) expect(await isMine(kept.text, atMs)).toBe(true);
    expect(await isMine(`${kept.text.slice(0, -2)}AA`, outage)).toBe(false);
    await expect(keys.verify(dropped.text, outage)).rejects.toThrow('PostgreSQL does not answer');
    await expect(keys.verify(kept.text, 2 * outage)).rejects.toThrow('PostgreSQL does not answer');

    network.speak();
    await until('the database to be asked', () => keys.reload(2 * outage).then(Boolean, () => false));
    expect(await isMine(kept.text, 2 * outage)).toBe(true);
    expect(await isMine(revoked.text, 2 * outage)).toBe(false);
  });

  it('leaves no key that was revoked here in force, though nobody heard that it is, and every other', async () => {
    const direct = await postgres.emptyDatabase();
    const network = await SilentNetwork.open(postgres.server().place.port);
    onTestFinished(() => network.close());
    const url = direct.replace(/:\d+\//, `:${network.port}/`);
    const state = await openPostgresState({ url, statementTimeoutMs: 1000, connectTimeoutMs: 1000 });
    onTestFinished(() => state.close());
    await new Projects(state).ensure('p', 1);
    const keys = new Keys(state);
    const make = (name: string) => keys.create({ project: 'p', name, scopes: ['read'], nowMs: 0, random: randomBytes });
    const [made, other] = [await make('made'), await make('other')];
    for (const { text } of [made, other]) expect(await keys.verify(text, 1)).not.toBeNull();
    network.fallSilent();
    await expect(keys.revoke('p', made.key.id, 2)).rejects.toThrow('PostgreSQL does not answer');
    await expect(keys.verify(made.text, 3)).rejects.toThrow('PostgreSQL does not answer');
    expect(await keys.verify(other.text, 3)).toMatchObject({ keyId: other.key.id });
    await expect(keys.revoke('another project', other.key.id, 4)).rejects.toThrow('PostgreSQL does not answer');
    expect(await keys.verify(other.text, 5)).toMatchObject({ keyId: other.key.id });
  });

  it('does not lose when keys were last used', async () => {
    const direct = await postgres.emptyDatabase();
    const network = await SilentNetwork.open(postgres.server().place.port);
    onTestFinished(() => network.close());
    const url = direct.replace(/:\d+\//, `:${network.port}/`);
    const state = await openPostgresState({ url, statementTimeoutMs: 1000, connectTimeoutMs: 1000 });
    onTestFinished(() => state.close());
    await new Projects(state).ensure('p', 1);
    const keys = new Keys(state);
    const { key, text } = await keys.create({
      ...{ project: 'p', name: 'used', scopes: ['read'], nowMs: 0, random: randomBytes },
    });
    await keys.verify(text, 7);
    network.fallSilent();
    await expect(keys.flushLastUsed()).rejects.toThrow('PostgreSQL does not answer');
    network.speak();
    await until('the use to be written', () =>
      keys.flushLastUsed().then(
        () => true,
        () => false,
      ),
    );
    expect(await keys.get('p', key.id)).toMatchObject({ lastUsedMs: 7 });
  });

  it('that answers late does not bring back a key that a later answer left out', async () => {
    const direct = await postgres.emptyDatabase();
    const network = await SilentNetwork.open(postgres.server().place.port);
    onTestFinished(() => network.close());
    const url = direct.replace(/:\d+\//, `:${network.port}/`);
    const limits = { statementTimeoutMs: 5_000, connectTimeoutMs: 1000 };
    const [here, elsewhere] = [await openPostgresState({ url, ...limits }), await openPostgresState({ url: direct })];
    onTestFinished(async () => void (await Promise.all([here.close(), elsewhere.close()])));
    await new Projects(here).ensure('p', 1);
    const [keys, others] = [new Keys(here), new Keys(elsewhere)];
    const make = (name: string) => keys.create({ project: 'p', name, scopes: ['read'], nowMs: 0, random: randomBytes });
    const [kept, revoked] = [await make('kept'), await make('revoked')];
    for (const { text } of [kept, revoked]) expect(await keys.verify(text, 1)).not.toBeNull();
    network.holdAnswers();
    expect(await keys.verify(kept.text, 10_000)).not.toBeNull();
    await until('the first answer to be held', () => network.held > 0);
    await others.revoke('p', revoked.key.id, 10_001);
    network.holdNoMore();
    expect(await keys.verify(kept.text, 20_000)).not.toBeNull();
    await until('the later answer', async () => (await keys.verify(revoked.text, 20_000)) === null);
    await network.release();
    network.fallSilent();
    // Each waits for an answer that does not come, while the late one does.
    for (const atMs of [30_000, 40_000]) expect(await keys.verify(kept.text, atMs)).not.toBeNull();
    await expect(keys.verify(revoked.text, 40_000)).rejects.toThrow('PostgreSQL does not answer');
  });

  it('is not waited for by a statement that another one blocks', async () => {
    const url = await postgres.emptyDatabase();
    const state = await openPostgresState({ url, statementTimeoutMs: 200 });
    onTestFinished(() => state.close());
    await new Projects(state).ensure('a', 1);
    const blocked = await state.db.transaction().execute(async (transaction) => {
      await transaction.updateTable('projects').set({ created_ms: 2 }).execute();
      const other = state.db.updateTable('projects').set({ created_ms: 3 }).compile();
      return (await Promise.allSettled([state.write([{ query: other, expect: 1 }])]))[0];
    });
    expect(blocked).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('timeout') } });
    expect(await new Projects(state).list()).toEqual([{ id: 'a', createdMs: 2 }]);
  });
});
