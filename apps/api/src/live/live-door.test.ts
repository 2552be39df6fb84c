import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LIVE_PATH } from './live-door.js';
import { type LiveApp, type LiveAppOptions, openLiveApp } from './rig/live-app.js';
import { LiveListener } from './rig/live-listener.js';

const opened: LiveApp[] = [];

async function open(options: LiveAppOptions = {}): Promise<LiveApp> {
  const app = await openLiveApp(options);
  opened.push(app);
  return app;
}

async function ticketOf(app: LiveApp, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${app.port}/api/v1/live/ticket`, { method: 'POST', headers });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const body = (await answer.json()) as { ticket: string; expires_in: number };
  expect(body.expires_in).toBe(30);
  return body.ticket;
}

const keys = { 'key-a': 'a', 'key-b': 'b' };
const outcome = (url: string, headers: Record<string, string> = {}) =>
  LiveListener.open(url, { headers }).then(
    (listener) => {
      listener.close();
      return 'open';
    },
    (error: Error) => error.message,
  );

afterEach(async () => {
  for (const app of opened.splice(0)) {
    await app.close();
    expect(app.faults).toEqual([]);
  }
});

describe('the door of the live feed', () => {
  it('answers 401 before there is a socket to anyone without a valid key', async () => {
    const app = await open({ keys });
    expect(await outcome(app.url)).toBe('401 unauthenticated');
    expect(await outcome(app.url, { 'x-api-key': 'wrong' })).toBe('401 unauthenticated');
    expect(await outcome(`${app.url}?ticket=made-up`)).toBe('401 unauthenticated');
    expect(await outcome(`${app.url}?ticket=`)).toBe('401 unauthenticated');
    expect(app.feed.clients).toBe(0);
  });

  it('refuses a parameter that it does not have', async () => {
    const app = await open({ keys });
    expect(await outcome(`${app.url}?since_seq=5`, { 'x-api-key': 'key-a' })).toBe('422 invalid_query');
    expect(await outcome(`${app.url}?since_seq=5`)).toBe('401 unauthenticated');
  });

  it('lets a key in by either header', async () => {
    const app = await open({ keys });
    expect(await outcome(app.url, { 'x-api-key': 'key-a' })).toBe('open');
    expect(await outcome(app.url, { authorization: 'Bearer key-b' })).toBe('open');
  });

  it('lets a ticket in once, as the project of the key that asked for it', async () => {
    const app = await open({ keys, recent: async (project) => Promise.reject(new Error(project)) });
    const ticket = await ticketOf(app, { 'x-api-key': 'key-b' });
    const listener = await LiveListener.open(`${app.url}?ticket=${ticket}`);
    await listener.follow();
    expect(app.faults.splice(0)).toEqual([new Error('b')]);
    listener.close();
    expect(await outcome(`${app.url}?ticket=${ticket}`)).toBe('401 unauthenticated');
  });

  it('gives no ticket without a key', async () => {
    const app = await open({ keys });
    const answer = await fetch(`http://127.0.0.1:${app.port}/api/v1/live/ticket`, { method: 'POST' });
    expect(answer.ok).toBe(false);
  });

  it('serves this machine without a key while none exists, but takes no bad ticket', async () => {
    const app = await open();
    expect(await outcome(app.url)).toBe('open');
    const ticket = await ticketOf(app);
    expect(await outcome(`${app.url}?ticket=${ticket}`)).toBe('open');
    expect(await outcome(`${app.url}?ticket=${ticket}`)).toBe('401 unauthenticated');
  });

  it('refuses a name of another machine while no key exists, against DNS rebinding', async () => {
    const app = await open();
    const host = 'evil.example:8000';
    expect(await outcome(app.url, { host })).toBe('403 bad_host');
    expect(await outcome(app.url, { host, origin: `http://${host}` })).toBe('403 bad_host');
    const ticket = await ticketOf(app);
    expect(await outcome(`${app.url}?ticket=${ticket}`, { host })).toBe('403 bad_host');
  });

  it('refuses what a proxy sends while no key exists, and takes it with a key', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.5' };
    const house = await open();
    expect(await outcome(house.url, forwarded)).toBe('403 proxied');
    expect(await outcome(`${house.url}?ticket=${await ticketOf(house)}`, forwarded)).toBe('403 proxied');
    const locked = await open({ keys });
    expect(await outcome(locked.url, { ...forwarded, 'x-api-key': 'key-a' })).toBe('open');
  });

  it('refuses pages of other origins whatever they present', async () => {
    const app = await open({ keys, allowedOrigins: ['https://dash.example'] });
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example', 'nonsense']) {
      expect(await outcome(app.url, { origin, 'x-api-key': 'key-a' })).toBe('403 bad_host');
      const ticket = await ticketOf(app, { 'x-api-key': 'key-a' });
      expect(await outcome(`${app.url}?ticket=${ticket}`, { origin })).toBe('403 bad_host');
    }
  });

  it('takes pages of its own origin and of those listed', async () => {
    const app = await open({ keys, allowedOrigins: ['https://dash.example'] });
    const own = `http://127.0.0.1:${app.port}`;
    for (const origin of [own, 'https://dash.example']) {
      const ticket = await ticketOf(app, { 'x-api-key': 'key-a' });
      expect(await outcome(`${app.url}?ticket=${ticket}`, { origin })).toBe('open');
    }
  });

  it('answers 503 when all places are taken', async () => {
    const app = await open({ maxClients: 1 });
    const first = await LiveListener.open(app.url);
    expect(await outcome(app.url)).toBe('503 overloaded');
    first.close();
    await first.until(() => app.feed.clients === 0, 'departure');
    expect(await outcome(app.url)).toBe('open');
  });

  it('answers 503 while the server is stopping', async () => {
    const app = await open();
    await app.feed.close();
    expect(await outcome(app.url)).toBe('503 draining');
  });

  it('survives handshakes that are not ones', async () => {
    const app = await open();
    const start = 'HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket';
    expect(await raw(app.port, `GET /api/v1/live ${start}`)).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(app.port, `GET ${LIVE_PATH}?ticket=%E0%A4%A&=[%% ${start.replace('127.0.0.1', '[::')}`)).toMatch(
      /^HTTP\/1.1 40\d /,
    );
    expect(await raw(app.port, `POST /api/v1/live ${start}\r\nSec-WebSocket-Key: x`)).toMatch(/^HTTP\/1.1 40\d /);
    expect(await outcome(app.url)).toBe('open');
  });
});

/** raw sends the head of an upgrade request and answers all that comes back until the server hangs up. */
function raw(port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\nConnection: Upgrade\r\n\r\n`));
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
