import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { LiveMessage } from './live-bus.js';
import { type LiveApp, type LiveAppOptions, openLiveApp } from './rig/live-app.js';
import { LiveListener } from './rig/live-listener.js';
import { makePoint } from './rig/points.js';

const opened: LiveApp[] = [];
const listeners: LiveListener[] = [];

async function open(options: LiveAppOptions = {}): Promise<LiveApp> {
  const app = await openLiveApp(options);
  opened.push(app);
  return app;
}

async function listen(app: LiveApp, key?: string): Promise<LiveListener> {
  const listener = await LiveListener.open(app.url, key === undefined ? {} : { headers: { 'x-api-key': key } });
  listeners.push(listener);
  return listener;
}

/** Points of about 4 KB each. */
function large(from: number, count: number): LiveMessage {
  const values = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`${'v'.repeat(100)}${i}`, 0.5]));
  const items = Array.from({ length: count }, (_, i) => ({ ...makePoint({ seq: from + i }), values }));
  return { kind: 'inference', project: 'default', items };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

afterEach(async () => {
  for (const listener of listeners.splice(0)) listener.close();
  for (const app of opened.splice(0)) {
    await app.close();
    expect(app.faults).toEqual([]);
    expect(app.feed.clients).toBe(0);
  }
});

describe('the live feed, with clients that behave badly', () => {
  it('closes a client that sends a frame of 1 MB with 1009', async () => {
    const app = await open();
    const listener = await listen(app);
    listener.say('x'.repeat(1024 * 1024));
    expect(await listener.until(() => listener.closed, 'close')).toMatchObject({ code: 1009 });
  });

  it('takes a frame of exactly 64 KB', async () => {
    const app = await open();
    const listener = await listen(app);
    listener.say(JSON.stringify({ type: 'ping' }).padEnd(64 * 1024));
    await listener.hears('pong');
  });

  it('closes a client that sends more than 100 messages a second with 1008', async () => {
    const app = await open();
    const [flooder, other] = [await listen(app), await listen(app)];
    for (let i = 0; i < 101; i++) flooder.say({ type: 'ping' });
    expect(await flooder.until(() => flooder.closed, 'close')).toMatchObject({ code: 1008 });
    expect(flooder.heard.filter(({ type }) => type === 'pong')).toHaveLength(100);
    await other.pong();
  });

  it('counts pings of the protocol as messages', async () => {
    const app = await open();
    const listener = await listen(app);
    for (let i = 0; i < 101; i++) {
      listener.socket.ping();
      if (i % 20 === 0) await new Promise((resolve) => listener.socket.once('pong', resolve));
    }
    expect(await listener.until(() => listener.closed, 'close')).toMatchObject({ code: 1008 });
  });

  it.each([
    ['no JSON', '{"type":', 'malformed_body', /not JSON/],
    ['nothing', '', 'malformed_body', /not JSON/],
    ['no object', '[1]', 'validation_failed', /^type must be one of/],
    ['an unknown type', '{"type":"publish"}', 'validation_failed', /^type must be one of/],
    ['a prototype for a type', '{"type":"__proto__"}', 'validation_failed', /^type must be one of/],
    ['no models', '{"type":"subscribe","models":[],"kinds":["alert"]}', 'validation_failed', /^\/models /],
    [
      'an unknown kind',
      '{"type":"subscribe","models":["*"],"kinds":["logs"]}',
      'validation_failed',
      /^\/kinds\/0 must be one of /,
    ],
    ['no kinds', '{"type":"subscribe","models":["*"]}', 'validation_failed', /^\/kinds is required/],
    ['a deep array', '['.repeat(30_000) + ']'.repeat(30_000), 'validation_failed', /^type must be one of/],
  ])('answers %s with an error and goes on', async (_what, text, code, message) => {
    const app = await open();
    const listener = await listen(app);
    listener.say(text);
    expect(await listener.hears('error')).toEqual({ type: 'error', code, message: expect.stringMatching(message) });
    await listener.pong();
  });

  it('answers a binary frame with an error and goes on', async () => {
    const app = await open();
    const listener = await listen(app);
    listener.socket.send(Buffer.from('{"type":"ping"}'));
    expect(await listener.hears('error')).toMatchObject({ code: 'malformed_body' });
    await listener.pong();
  });

  it('drops the oldest for a slow reader, tells exactly how many, and keeps the others whole', async () => {
    const app = await open({ limits: { keepItems: 200, frameGapMs: 1 } });
    const [slow, quick] = [await listen(app), await listen(app)];
    await Promise.all([slow.follow(), quick.follow()]);
    slow.socket.pause();
    let sent = 0;
    // 12 MB are more than the kernel keeps for a connection.
    while (sent < 3000) {
      app.publish(large(sent + 1, 100));
      sent += 100;
      await quick.until(() => quick.pointsHeard === sent, 'all points');
    }
    slow.socket.resume();
    await slow.hears('lagged');
    await slow.until(() => slow.requestIds().at(-1) === `r${sent}`, 'the newest point');
    expect(slow.lost()).toBeGreaterThan(100);
    expect(slow.lost()).toBe(app.dropped());
    expect(slow.requestIds().length + slow.lost()).toBe(sent);
    expect(new Set(slow.requestIds()).size).toBe(slow.requestIds().length);
    expect(quick.lost()).toBe(0);
  });

  it('closes a reader that takes nothing any more with 1013, and cuts it off', async () => {
    const app = await open({ limits: { keepItems: 200, frameGapMs: 1, stallMs: 200, tickMs: 20, closeGraceMs: 100 } });
    const stopped = await listen(app);
    await stopped.follow();
    stopped.socket.pause();
    let sent = 0;
    while (app.feed.clients > 0) {
      app.publish(large(sent + 1, 50));
      sent += 50;
      await turns(10);
    }
    stopped.socket.resume();
    await stopped.until(() => stopped.closed, 'close');
    expect(stopped.requestIds().length).toBeLessThan(sent);
  });

  it('cuts off a peer that does not answer pings', async () => {
    const app = await open({ limits: { heartbeatMs: 100, tickMs: 10 } });
    const dead = new WebSocket(app.url, { autoPong: false });
    const alive = await listen(app);
    let pings = 0;
    alive.socket.on('ping', () => pings++);
    await alive.until(() => dead.readyState === WebSocket.CLOSED, 'end of the dead peer');
    await alive.until(() => pings >= 2, 'second ping');
    expect(app.feed.clients).toBe(1);
    await alive.pong();
  });

  it('says good-bye with 1001 when it closes, and does not wait for one that will not go', async () => {
    const app = await open({ limits: { closeGraceMs: 100 } });
    const [listener, stuck] = [await listen(app), await listen(app)];
    await listener.follow();
    stuck.socket.pause();
    await Promise.all([app.feed.close(), app.feed.close()]);
    expect(app.feed.clients).toBe(0);
    expect(await listener.until(() => listener.closed, 'close')).toMatchObject({ code: 1001 });
  });

  it('closes the clients of a revoked key with 1008', async () => {
    const app = await open({ keys: { 'key-a': 'a', 'key-b': 'b' } });
    const [a, b] = [await listen(app, 'key-a'), await listen(app, 'key-b')];
    expect(app.feed.disconnect(({ keyId }) => keyId === 'id-of-key-a')).toBe(1);
    expect(await a.until(() => a.closed, 'close')).toMatchObject({ code: 1008 });
    await b.pong();
  });
});
