import { canRun } from '@tidemark/servers';
import { sql } from 'kysely';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { State } from './database.js';
import { someModel } from './engine.contract.js';
import { UnknownSchemaError } from './migrations/migrate.js';
import { Models } from './models.js';
import { openPostgresState } from './postgres-state.js';
import { Projects } from './projects.js';
import { usePostgres } from './rig/postgres.js';
import { describePort } from './state.contract.js';

describe.skipIf(!canRun('postgres'))('on a real PostgreSQL', () => {
  const postgres = usePostgres();
  const open = async (url: string): Promise<State> => {
    const state = await openPostgresState({ url });
    onTestFinished(() => state.close());
    return state;
  };

  describePort('PostgreSQL', postgres.makeEngine);

  describe('opening', () => {
    it('migrates an empty database once when four instances start at the same moment', async () => {
      const url = await postgres.emptyDatabase();
      const states = await Promise.all(Array.from({ length: 4 }, () => open(url)));
      await Promise.all(states.map((state, i) => new Models(state).put(someModel({ id: `m${i}` }), i)));
      const [first] = states;
      if (!first) throw new Error('unreachable');
      expect(await new Models(first).list('p')).toHaveLength(4);
      const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration`.execute(first.db);
      expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    });

    it('says which database does not answer, and no password', async () => {
      const refusal = openPostgresState({ url: 'postgres://tidemark:s3cret@127.0.0.1:1/state' });
      await expect(refusal).rejects.toThrow('the state database 127.0.0.1:1/state could not be opened');
      await expect(refusal).rejects.not.toThrow('s3cret');
    });

    it('refuses a database that a newer version wrote', async () => {
      const url = await postgres.emptyDatabase();
      const state = await open(url);
      await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-tomorrow', '2040')`.execute(state.db);
      await expect(openPostgresState({ url })).rejects.toBeInstanceOf(UnknownSchemaError);
    });
  });

  describe('writing', () => {
    it('finishes what was submitted before it closes', async () => {
      const url = await postgres.emptyDatabase();
      const state = await openPostgresState({ url });
      const written = Array.from({ length: 50 }, (_, i) => new Projects(state).ensure(`p${i}`, i));
      await state.close();
      await Promise.all(written);
      expect(await new Projects(await open(url)).list()).toHaveLength(50);
    });

    it('undoes a whole batch for an unmet expectation, for an error, and for text that is not Unicode', async () => {
      const state = await open(await postgres.emptyDatabase());
      const project = (id: string) => ({
        query: state.db.insertInto('projects').values({ id, created_ms: 1 }).compile(),
      });
      const nobody = state.db.deleteFrom('projects').where('id', '=', 'nobody').compile();
      expect(await state.write([project('a'), { query: nobody, expect: 1 }])).toEqual({ outcome: 'unmet', step: 1 });
      await expect(state.write([project('b'), { query: sql`SELECT 1 / 0`.compile(state.db) }])).rejects.toThrow('zero');
      await expect(state.write([project('c'), project('lone \ud800')])).rejects.toThrow('lone surrogate');
      await state.write([project('kept'), project('with \0')], 'lazy');
      expect((await new Projects(state).list()).map(({ id }) => id)).toEqual(['kept', 'with \ufffd']);
    });

    it('goes on when two batches are in each other’s way', async () => {
      const url = await postgres.emptyDatabase();
      const states = [await open(url), await open(url)];
      for (const id of ['a', 'b']) await new Projects(states[0] ?? (await open(url))).ensure(id, 0);
      const touch = (state: State, id: string, atMs: number) => ({
        query: state.db.updateTable('projects').set({ created_ms: atMs }).where('id', '=', id).compile(),
      });
      const wait = (state: State) => ({ query: sql`SELECT pg_sleep(0.1)`.compile(state.db) });
      const both = states.map((state, i) => {
        const [one, two] = i === 0 ? ['a', 'b'] : ['b', 'a'];
        return state.write([touch(state, one ?? '', i), wait(state), touch(state, two ?? '', i)]);
      });
      for (const done of await Promise.all(both)) expect(done.outcome).toBe('committed');
    });
  });
});
