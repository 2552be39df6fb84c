import { canRun, freePort, type LocalServer, startRedis } from '@tidemark/servers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from './rig/wait-for.js';
import { openRedis, type OpenRedisOptions, type RedisFault, type RedisLink } from './open-redis.js';

function opened(url: string, role: OpenRedisOptions['role'] = 'producer'): { link: RedisLink; faults: RedisFault[] } {
  const faults: RedisFault[] = [];
  const link = openRedis({ url, role, onFault: (fault) => faults.push(fault) });
  onTestFinished(() => link.close());
  return { link, faults };
}

describe('openRedis', () => {
  it('throws for a URL that names no Redis, without telling it', () => {
    expect(() => openRedis({ url: 'redis://:geheim@', role: 'producer', onFault: () => undefined })).toThrow(
      /^the URL of Redis must name hosts/,
    );
  });

  it('tells once that nobody is there, fails at once, and closes', async () => {
    const { link, faults } = opened(`redis://127.0.0.1:${await freePort()}`);
    await waitFor('a fault', () => faults.length > 0);
    for (let i = 0; i < 20; i += 1) await expect(link.client.get('k')).rejects.toThrow();
    expect(await link.whenUp(200)).toBe(false);
    expect(faults).toEqual([{ kind: 'away', reason: expect.stringContaining('ECONNREFUSED') }]);
  });
});

describe.skipIf(!canRun('redis-server'))('openRedis on a real Redis', () => {
  let server: LocalServer;
  beforeAll(async () => {
    server = await startRedis({ password: 'p@ss/:?' });
  });
  afterAll(() => server.close());

  it('gives the password and selects the database', async () => {
    const [first, other] = [opened(`${server.url}/2`).link, opened(server.url).link];
    expect(await first.whenUp(10_000)).toBe(true);
    expect(await other.whenUp(10_000)).toBe(true);
    await first.client.set('who', 'me');
    expect(await first.client.get('who')).toBe('me');
    expect(await other.client.get('who')).toBeNull();
  });

  it('tells of a wrong password without telling the password', async () => {
    const { link, faults } = opened(server.url.replace(/:[^:]*@/, ':geheim@'));
    await waitFor('a fault', () => faults.length > 0);
    expect(faults).toEqual([{ kind: 'away', reason: expect.stringMatching(/WRONGPASS/) }]);
    expect(JSON.stringify(faults)).not.toContain('geheim');
    expect(link.isUp).toBe(false);
  });

  it('tells once that it went away and once that it is back, however much fails meanwhile', async () => {
    const { link, faults } = opened(server.url);
    await link.whenUp(10_000);
    await server.kill();
    await waitFor('a fault', () => faults.length > 0);
    for (let i = 0; i < 50; i += 1) await expect(link.client.set('k', 'v')).rejects.toThrow();
    expect(await link.whenUp(300)).toBe(false);
    await server.start();
    expect(await link.whenUp(10_000)).toBe(true);
    expect(await link.client.set('k', 'v')).toBe('OK');
    expect(faults.map(({ kind }) => kind)).toEqual(['away', 'back']);
  });

  it('does not wait for a Redis that hangs, and goes on when it does', async () => {
    const { link, faults } = opened(server.url);
    await link.whenUp(10_000);
    server.pause();
    onTestFinished(() => server.resume());
    const hung = await Promise.allSettled(Array.from({ length: 20 }, () => link.client.get('k')));
    expect(hung.every(({ status }) => status === 'rejected')).toBe(true);
    expect(link.isUp).toBe(false);
    await expect(link.client.get('k')).rejects.toThrow(/writeable/);
    server.resume();
    expect(await link.whenUp(20_000)).toBe(true);
    expect(faults.map(({ kind }) => kind)).toEqual(['away', 'back']);
  });

  it('takes up its channels again as a subscriber', async () => {
    const { link: listener } = opened(server.url, 'subscriber');
    const { link: speaker } = opened(server.url);
    const heard: string[] = [];
    listener.client.on('message', (_channel: string, text: string) => heard.push(text));
    await listener.client.subscribe('news');
    await server.kill();
    await server.start();
    await speaker.whenUp(10_000);
    await waitFor('news', async () => {
      await speaker.client.publish('news', 'again').catch(() => 0);
      return heard.length > 0;
    });
  });

  it('closes twice, and also while Redis hangs', async () => {
    const { link, faults } = opened(server.url);
    await link.whenUp(10_000);
    server.pause();
    onTestFinished(() => server.resume());
    await link.close();
    await link.close();
    expect(faults).toEqual([]);
    await expect(link.client.get('k')).rejects.toThrow();
  });
});
