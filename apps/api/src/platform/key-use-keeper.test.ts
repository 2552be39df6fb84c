import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keys, openSqliteState } from '@tidemark/state';
import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { NOON } from '../rig/manual-clock.js';
import { OwnServer } from '../rig/own-server.js';
import { waitFor } from '../rig/wait-for.js';
import { KeyUseKeeper } from './key-use-keeper.js';

function holdIntervals(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
}

it('tells within a minute when a key was last used, while the server runs', async () => {
  holdIntervals();
  const server = await OwnServer.start();
  onTestFinished(() => server.stop());
  const made = await server.ask('POST', '/api/v1/keys', { name: 'used', scopes: ['admin'] });
  const { secret } = (await made.json()) as { secret: string };
  const lastUse = async (): Promise<string | null> => {
    const answer = await server.ask('GET', '/api/v1/keys', undefined, { 'x-api-key': secret });
    const { keys } = (await answer.json()) as { keys: readonly { last_used_at: string | null }[] };
    return keys[0]?.last_used_at ?? null;
  };
  expect(await lastUse()).toBeNull();
  vi.advanceTimersByTime(60_000);
  await waitFor('the use to be told', async () => (await lastUse()) === new Date(NOON).toISOString());
});

it('logs once that uses cannot be written and once that they are again, and ends in order all the same', async () => {
  holdIntervals();
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-uses-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const state = await openSqliteState(join(folder, 'state.db'));
  onTestFinished(() => state.close());
  const random = (bytes: number): Buffer => Buffer.alloc(bytes, 7);
  const { text } = await new Keys(state).create({ project: 'p', name: 'one', scopes: ['read'], nowMs: 1, random });
  // The way to the database is broken, not the database.
  let isAway = true;
  let writes = 0;
  const keys = new Keys({
    ...state,
    write: (...batch) => {
      writes++;
      return isAway ? Promise.reject(new Error('away')) : state.write(...batch);
    },
  });
  const lines: { level: number; msg: string; failures?: number }[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const keeper = new KeyUseKeeper(keys, log);
  keeper.start();
  const minutesUntil = (what: string, holds: () => boolean): Promise<void> =>
    waitFor(what, () => {
      vi.advanceTimersByTime(60_000);
      return holds();
    });
  await keys.verify(text, 2);
  await minutesUntil('several failures', () => writes > 3);
  isAway = false;
  await minutesUntil('a write', () => lines.length > 1);
  expect(lines.map(({ level }) => level)).toEqual([40, 30]);
  const before = writes;
  vi.advanceTimersByTime(600_000);
  expect(writes).toBe(before); // nobody came with a key
  await keys.verify(text, 3);
  isAway = true;
  await keeper.close();
  expect(lines.at(-1)).toMatchObject({ level: 40, msg: expect.stringContaining('at the end') });
});
