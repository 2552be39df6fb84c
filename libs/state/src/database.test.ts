import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';
import { openSqliteState, type State } from './database.js';
import { Deliveries } from './deliveries.js';
import { aFiring, someModel } from './engine.contract.js';
import { UnknownSchemaError } from './migrations/migrate.js';
import { Models } from './models.js';
import { Projects } from './projects.js';

let folder: string;
let file: string;
let state: State;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-state-'));
  file = join(folder, 'state.db');
  state = await openSqliteState(file);
});

afterEach(async () => {
  await state.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('an SQLite state', () => {
  it('keeps what was written when it is opened again', async () => {
    const model = await new Models(state).put(someModel(), 1);
    await state.close();
    state = await openSqliteState(file);
    expect(await new Models(state).list('p')).toEqual([model]);
  });

  it('finishes the writes already submitted before it closes', async () => {
    const written = Array.from({ length: 300 }, (_, i) => new Projects(state).ensure(`p${i}`, i));
    await state.close();
    await Promise.all(written);
    state = await openSqliteState(file);
    expect(await new Projects(state).list()).toHaveLength(300);
  });

  it('refuses a file that a newer version wrote, and leaves it as it is', async () => {
    await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-tomorrow', '2040-01-01')`.execute(state.db);
    await state.close();
    const refusal = openSqliteState(file);
    await expect(refusal).rejects.toBeInstanceOf(UnknownSchemaError);
    await expect(refusal).rejects.toThrow('newer version of Tidemark (it has 9999-tomorrow)');
  });

  it('refuses text that is not Unicode, and stays usable', async () => {
    await expect(new Projects(state).ensure('lone \ud800 surrogate', 1)).rejects.toThrow('lone surrogate');
    await new Projects(state).ensure('whole', 1);
    expect(await new Projects(state).list()).toEqual([{ id: 'whole', createdMs: 1 }]);
  });
});

describe('an interactive transaction', () => {
  const insert = (id: string) => ({ id, created_ms: 1 });

  it('is not mixed with what others read and write meanwhile', async () => {
    const projects = new Projects(state);
    const others: Promise<unknown>[] = [];
    const seen: string[][] = [];
    const work = state.db.transaction().execute(async (transaction) => {
      await transaction.insertInto('projects').values(insert('inside')).execute();
      others.push(projects.ensure('outside', 2));
      others.push(projects.list().then((list) => seen.push(list.map(({ id }) => id))));
      others.push(
        state.db.transaction().execute((next) => next.insertInto('projects').values(insert('next')).execute()),
      );
      await transaction.selectFrom('projects').selectAll().execute();
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    await Promise.all(others);
    expect(seen.flat()).not.toContain('inside');
    expect((await projects.list()).map(({ id }) => id).toSorted()).toEqual(['next', 'outside']);
  });

  it('that succeeds is whole, and lets the next one through', async () => {
    const both = ['a', 'b'].map((id) =>
      state.db.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('projects')
          .values(insert(`${id}1`))
          .execute();
        await transaction
          .insertInto('projects')
          .values(insert(`${id}2`))
          .execute();
      }),
    );
    await Promise.all(both);
    expect((await new Projects(state).list()).map(({ id }) => id)).toEqual(['a1', 'a2', 'b1', 'b2']);
  });
});

describe('a group of batches that share a commit', () => {
  it('keeps the others when one fails, and undoes that one whole', async () => {
    const project = (id: string) =>
      state.db
        .insertInto('projects')
        .values({ id, created_ms: 1 })
        .onConflict((on) => on.doNothing())
        .compile();
    const wrong = sql`INSERT INTO nowhere VALUES (1)`.compile(state.db);
    const outcomes = await Promise.allSettled([
      state.write([{ query: project('first') }]),
      state.write([{ query: project('a') }]),
      state.write([{ query: project('b') }, { query: wrong }]),
      state.write([{ query: project('c') }, { query: project('a'), expect: 1 }]),
      state.write([{ query: project('d'), expect: 1 }]),
    ]);
    expect(outcomes).toMatchObject([
      { value: { outcome: 'committed' } },
      { value: { outcome: 'committed' } },
      { reason: expect.objectContaining({ message: expect.stringContaining('nowhere') }) },
      { value: { outcome: 'unmet', step: 1 } },
      { value: { outcome: 'committed' } },
    ]);
    expect((await new Projects(state).list()).map(({ id }) => id)).toEqual(['a', 'd', 'first']);
  });

  it('fails whole when the disk is full, and works again when there is room', async () => {
    await new Projects(state).ensure('before', 1);
    const [pages] = (await sql<{ page_count: number }>`PRAGMA page_count`.execute(state.db)).rows;
    await sql.raw(`PRAGMA max_page_count = ${pages?.page_count}`).execute(state.db);
    const projects = new Projects(state);
    const writes = Array.from({ length: 20 }, (_, i) => projects.ensure(`${i}`.padEnd(3000, 'x'), 2));
    const failed = (await Promise.allSettled(writes)).filter((outcome) => outcome.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'SQLITE_FULL' });
    expect(await projects.list()).toHaveLength(1 + writes.length - failed.length);
    await sql.raw('PRAGMA max_page_count = 1000000').execute(state.db);
    await projects.ensure('after', 3);
    expect((await projects.list()).at(-1)).toEqual({ id: 'after', createdMs: 3 });
    expect((await sql`PRAGMA integrity_check`.execute(state.db)).rows).toMatchObject([{ integrity_check: 'ok' }]);
  });
});

describe('a kill -9', () => {
  it('takes back no transition that was committed, and leaves none in half', async () => {
    await state.close();
    const program = join(folder, 'writer.mjs');
    writeFileSync(program, WRITER);
    const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const told: string[] = [];
    try {
      for await (const id of createInterface({ input: child.stdout })) {
        told.push(id);
        if (told.length === 100) child.kill('SIGKILL');
      }
    } finally {
      child.kill('SIGKILL');
    }
    expect(told.length).toBeGreaterThanOrEqual(100);
    state = await openSqliteState(file);
    const alerts = await new Alerts(state).loadFiring();
    const ledger = await new Deliveries(state).list({ project: 'p', limit: 100_000 });
    expect(alerts.map((alert) => alert.id)).toEqual(expect.arrayContaining(told));
    for (const alert of alerts) {
      expect(await new Alerts(state).events(alert.id)).toHaveLength(1);
      expect(ledger.filter((delivery) => delivery.alertId === alert.id)).toHaveLength(2);
    }
    expect(ledger).toHaveLength(2 * alerts.length);
  });
});

/** A program of its own on the built package: it fires alerts, eight at a time, and tells each one once it is committed. */
const WRITER = `
  import { Alerts, openSqliteState } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
  const alerts = new Alerts(await openSqliteState(process.argv[2]));
  const firing = ${JSON.stringify(aFiring(10, { channelIds: ['c1', 'c2'] }))};
  const one = async (id) => {
    const key = { ...firing.key, modelId: id };
    const done = await alerts.commitTransition({ ...firing, id, key, payload: () => '{}' });
    if (done.outcome === 'committed') console.log(done.alert.id);
  };
  for (let i = 0; i < 1e6; i += 8) await Promise.all(Array.from({ length: 8 }, (_, k) => one('alert' + (i + k))));
`;
