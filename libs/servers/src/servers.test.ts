import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startInfluxDb } from './influxdb.js';
import { influxDbUnderTest } from './influxdb-under-test.js';
import type { LocalServer } from './local-server.js';
import { createDatabase, startPostgres } from './postgres.js';
import { canRun, type Program } from './programs.js';
import { startRedis } from './redis.js';

const KINDS: readonly (readonly [Program, () => Promise<LocalServer>])[] = [
  ['redis-server', () => startRedis()],
  ['postgres', () => startPostgres()],
  ['influxd', () => startInfluxDb()],
];

describe.each(KINDS)('%s', (program, start) => {
  it.skipIf(!canRun(program))('starts, is killed, and starts again where it was', async () => {
    const server = await start();
    onTestFinished(() => server.close());
    const { url } = server;
    expect(await server.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(server.kind.isReady(server.place).catch(() => false)).resolves.toBe(false);
    await server.start();
    expect(server.url).toBe(url);
    expect((await server.stop()).code).not.toBeNull();
  });
});

it.skipIf(!canRun('redis-server'))('a port that somebody has is refused, whoever would answer there', async () => {
  const server = await startRedis();
  onTestFinished(() => server.close());
  await expect(startRedis({ port: server.place.port })).rejects.toThrow(`port ${server.place.port} is in use`);
});

it.skipIf(!canRun('postgres'))('PostgreSQL takes further databases', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.close());
  expect(await createDatabase(server, 'another')).toMatch(/\/another$/);
});

it.skipIf(!canRun('postgres') || process.getuid?.() !== 0)(
  'PostgreSQL says that its user cannot get into a folder',
  async () => {
    const closed = await mkdtemp(join(tmpdir(), 'tidemark-closed-'));
    onTestFinished(() => rm(closed, { recursive: true, force: true }));
    await expect(startPostgres({ folder: join(closed, 'postgres') })).rejects.toThrow(/cannot get into it.*chmod o\+x/);
  },
);

const underTest = influxDbUnderTest();

it.skipIf(underTest.generation !== '2')('InfluxDB 2.x is set up once and knows its token ever after', async () => {
  const server = await underTest.start();
  onTestFinished(() => server.close());
  const orgs = async (token: string): Promise<number> => {
    const headers = { authorization: `Token ${token}` };
    return (await fetch(`${server.url}/api/v2/orgs?org=${underTest.org}`, { headers })).status;
  };
  expect(await orgs(underTest.token)).toBe(200);
  expect(await orgs('another')).toBe(401);
  await server.kill();
  await server.start();
  expect(await orgs(underTest.token)).toBe(200);
});
