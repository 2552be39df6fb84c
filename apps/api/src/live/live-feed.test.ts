import { afterEach, describe, expect, it } from 'vitest';
import type { LiveMessage } from './live-bus.js';
import { type LiveApp, type LiveAppOptions, openLiveApp } from './rig/live-app.js';
import { LiveListener } from './rig/live-listener.js';
import { makeAlert, makeDrift, makePoint } from './rig/points.js';

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

function points(from: number, count: number, model = 'm1', project = 'default'): LiveMessage {
  const items = Array.from({ length: count }, (_, i) => makePoint({ project, model, seq: from + i }));
  return { kind: 'inference', project, items };
}

function ids(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `r${from + i}`);
}

afterEach(async () => {
  for (const listener of listeners.splice(0)) listener.close();
  for (const app of opened.splice(0)) {
    await app.close();
    expect(app.faults).toEqual([]);
  }
});

describe('the live feed', () => {
  it('answers a subscription with a snapshot of what is there', async () => {
    const asked: unknown[] = [];
    const app = await open({
      startedMs: 1_760_000_000_000,
      recent: async (...args) => {
        asked.push(args);
        return [makePoint({ seq: 2 }), makePoint({ seq: 1 })];
      },
      firing: () => [makeAlert('a1')],
    });
    const listener = await listen(app);
    const snapshot = await listener.follow({ models: ['m2', 'm1'] });
    expect(asked).toEqual([['default', ['m1', 'm2'], 100]]);
    expect(snapshot).toMatchObject({ seq: 1_760_000_000_000_000, resumed: false, truncated: false });
    expect(snapshot.metrics.map((metric) => metric.request_id)).toEqual(['r2', 'r1']);
    expect(snapshot.alerts).toEqual([makeAlert('a1')]);
  });

  it('sends every kind in the form in which REST reads it back', async () => {
    const app = await open();
    const listener = await listen(app);
    const { seq } = await listener.follow();
    app.publish(points(7, 1));
    app.publish({ kind: 'drift', project: 'default', items: [makeDrift()] });
    app.publish({ kind: 'alert', project: 'default', items: [makeAlert('a1')] });
    const inference = await listener.hears('inference');
    const drift = await listener.hears('drift');
    const alert = await listener.hears('alert');
    expect(inference.items[0]).toMatchObject({ model_id: 'm1', request_id: 'r7', throughput: null, error_rate: 0.01 });
    expect(drift.items[0]).toMatchObject({
      drift_type: 'data',
      severity: 'high',
      timestamp: '2025-10-09T08:53:20.000Z',
    });
    expect(alert.items).toEqual([makeAlert('a1')]);
    expect([inference.seq, drift.seq, alert.seq]).toEqual([seq + 1, seq + 2, seq + 3]);
  });

  it('sends only the models and kinds asked for, of which the latest subscription counts', async () => {
    const app = await open();
    const listener = await listen(app);
    await listener.follow({ models: ['m1'], kinds: ['inference'] });
    await listener.follow({ models: ['m2', 'm3'], kinds: ['alert', 'inference'] });
    app.publish(points(1, 1, 'm1'));
    app.publish({ kind: 'drift', project: 'default', items: [makeDrift('default', 'm2')] });
    app.publish(points(2, 1, 'm2'));
    app.publish({ kind: 'alert', project: 'default', items: [makeAlert('a1', 'm1'), makeAlert('a2', 'm3')] });
    await listener.hears('alert');
    expect(listener.requestIds()).toEqual(['r2']);
    const others = listener.heard.filter(({ type }) => type !== 'snapshot' && type !== 'inference');
    expect(others).toEqual([expect.objectContaining({ type: 'alert', items: [makeAlert('a2', 'm3')] })]);
    listener.say({ type: 'unsubscribe' });
    await listener.pong();
    app.publish(points(3, 1, 'm2'));
    await listener.follow({ kinds: ['drift'] });
    expect(listener.requestIds()).toEqual(['r2']);
  });

  it('never shows one project the items of another', async () => {
    const app = await open({
      keys: { 'key-a': 'a', 'key-b': 'b' },
      recent: async (project) => [makePoint({ project, seq: 900 })],
    });
    const [a, b] = [await listen(app, 'key-a'), await listen(app, 'key-b')];
    expect((await a.follow()).metrics).toEqual([expect.objectContaining({ request_id: 'r900' })]);
    await b.follow({ models: ['m1', '*'] });
    app.publish(points(1, 3, 'm1', 'a'));
    app.publish(points(4, 1, 'm1', 'b'));
    await b.hears('inference');
    await a.hears('inference');
    expect([a.requestIds(), b.requestIds()]).toEqual([ids(1, 3), ['r4']]);
  });

  it('keeps the order, loses nothing and sends at most 20 frames a second', async () => {
    const app = await open();
    const listener = await listen(app);
    await listener.follow();
    const startMs = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        app.publish(points(sent + 1, 2));
        app.publish({ kind: 'drift', project: 'default', items: [makeDrift()] });
        sent += 2;
        if (sent < 300) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    await listener.until(() => listener.pointsHeard === sent, 'end of the stream');
    const seconds = (performance.now() - startMs) / 1000;
    const frames = listener.heard.filter(({ type }) => type === 'inference' || type === 'drift').length;
    expect(listener.requestIds()).toEqual(ids(1, sent));
    expect(frames).toBeGreaterThan(4);
    expect(frames).toBeLessThanOrEqual(Math.ceil(seconds * 20) + 1);
    expect(listener.lost()).toBe(0);
  });

  it('begins where the snapshot ends, with no gap and nothing twice, whatever is published meanwhile', async () => {
    const stored: LiveMessage['items'][number][] = [];
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    const app = await open({
      limits: { keepItems: 1_000_000, keepBytes: 1_000_000_000 },
      recent: async (_project, _models, limit) => {
        for (let i = 0; i < 5; i++) await pause();
        const newest = stored.slice(-limit).reverse();
        for (let i = 0; i < 5; i++) await pause();
        return newest as never;
      },
    });
    let seq = 0;
    let running = true;
    const publisher = (async () => {
      while (running) {
        const message = points(seq + 1, 2);
        seq += 2;
        stored.push(...message.items); // stored, and published some turns later, as ingest does
        for (let i = 0; i < 20 + (seq % 5); i++) await pause();
        app.publish(message);
        await pause();
      }
    })();
    const all = await Promise.all(Array.from({ length: 12 }, () => listen(app)));
    for (const listener of all) {
      await listener.follow();
      await pause();
    }
    running = false;
    await publisher;
    for (const listener of all) {
      await listener.until(() => listener.requestIds().at(-1) === `r${seq}`, 'the last point');
      const snapshot = await listener.hears('snapshot');
      const whole = [...snapshot.metrics.map((metric) => metric.request_id).reverse(), ...listener.requestIds()];
      const first = Number(whole[0]?.slice(1) ?? 1);
      expect(whole).toEqual(ids(first, seq - first + 1));
    }
  });

  it('tells a client that a snapshot could not be read, and goes on', async () => {
    const app = await open({ recent: () => Promise.reject(new Error('the disk is gone')) });
    const listener = await listen(app);
    const snapshot = await listener.follow();
    expect(snapshot.metrics).toEqual([]);
    expect(await listener.hears('error')).toMatchObject({ code: 'storage_unavailable' });
    app.publish(points(1, 1));
    await listener.hears('inference');
    expect(app.faults.splice(0)).toEqual([new Error('the disk is gone')]);
  });

  it('reads a snapshot once for a crowd that asks for the same', async () => {
    let reads = 0;
    const app = await open({
      recent: async () => {
        reads++;
        return [];
      },
    });
    const all = await Promise.all(Array.from({ length: 25 }, () => listen(app)));
    await Promise.all(all.map((listener) => listener.follow()));
    expect(reads).toBe(1);
  });
});

describe('a client that comes back', () => {
  it('gets what it missed, and nothing else', async () => {
    const app = await open();
    const first = await listen(app);
    await first.follow();
    app.publish(points(1, 5));
    const { seq } = await first.hears('inference');
    first.close();
    app.publish(points(6, 3));
    app.publish(points(9, 1, 'm2'));
    app.publish({ kind: 'alert', project: 'default', items: [makeAlert('a1')] });
    const second = await listen(app);
    const snapshot = await second.follow({ since_seq: seq });
    expect(snapshot).toMatchObject({ seq, resumed: true, metrics: [] });
    await second.hears('alert');
    app.publish(points(10, 1));
    await second.until(() => second.requestIds().includes('r10'), 'the newest point');
    expect(second.requestIds()).toEqual(ids(6, 5));
    expect(second.lost()).toBe(0);
  });

  it('is told how much is gone of what it missed, and gets the rest', async () => {
    const app = await open({ limits: { keepItems: 100 } });
    const first = await listen(app);
    const { seq } = await first.follow();
    first.close();
    for (let i = 0; i < 10; i++) app.publish(points(1 + i * 25, 25));
    const second = await listen(app);
    expect(await second.follow({ since_seq: seq })).toMatchObject({ resumed: true });
    await second.hears('inference');
    expect(second.lost()).toBe(150);
    expect(second.requestIds()).toEqual(ids(151, 100));
  });

  it('does not lose rare alerts to frequent metrics', async () => {
    const app = await open({ limits: { keepItems: 50 } });
    const first = await listen(app);
    const { seq } = await first.follow({ kinds: ['alert'] });
    first.close();
    app.publish({ kind: 'alert', project: 'default', items: [makeAlert('a1')] });
    app.publish(points(1, 500));
    const second = await listen(app);
    await second.follow({ kinds: ['alert'], since_seq: seq });
    expect((await second.hears('alert')).items).toEqual([makeAlert('a1')]);
    expect(second.lost()).toBe(0);
  });

  it.each([
    ['an earlier life of the server', 1_759_999_999_999_000],
    ['a place that the server has not come to', 1_760_000_999_999_000],
  ])('with the place of %s gets a whole snapshot and is told so', async (_what, since_seq) => {
    const app = await open({ startedMs: 1_760_000_000_000, recent: async () => [makePoint({ seq: 1 })] });
    app.publish(points(1, 3));
    const listener = await listen(app);
    const snapshot = await listener.follow({ since_seq });
    expect(snapshot).toMatchObject({ resumed: false, seq: 1_760_000_000_000_003 });
    expect(snapshot.metrics).toHaveLength(1);
    expect(await listener.hears('lagged')).toEqual({ type: 'lagged', dropped: 3, restarted: true });
  });

  it('after the log was put to rest is told how much it missed', async () => {
    const app = await open({ limits: { lingerMs: 0 } });
    const first = await listen(app);
    const { seq } = await first.follow();
    first.close();
    await first.until(() => app.feed.clients === 0, 'departure');
    const leftMs = performance.now();
    await first.until(() => performance.now() - leftMs > 2, 'later moment'); // the log rests from the next millisecond on
    app.publish(points(1, 40));
    app.publish(points(41, 2));
    const second = await listen(app);
    await second.follow({ since_seq: seq });
    await second.hears('lagged');
    expect(second.lost()).toBe(42);
    app.publish(points(43, 1));
    await second.hears('inference');
    expect(second.requestIds()).toEqual(['r43']);
  });
});
