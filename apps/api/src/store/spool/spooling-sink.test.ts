import { mkdirSync, readFileSync, renameSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { type LineServer, type Reply, startLineServer } from './rig/line-server.js';
import { Spooling } from './rig/spooling.js';

const HANG: Reply = { kind: 'hang' };
const STORE: Reply = { kind: 'store' };

/** Waits until nothing waits, and expects the server to have every acknowledged line, in order. */
async function expectDrained(spooling: Spooling, server: LineServer): Promise<void> {
  await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0, 30_000);
  await waitFor('the drainer to say so', () => spooling.told('back').length > 0);
  expect([...server.stored]).toEqual(spooling.acknowledged);
  expect(spooling.sink.backlog()).toEqual({ points: 0, oldestMs: 0 });
}

function deadLetters({ folder }: Spooling): { line: string; reason: string; message: string }[] {
  const text = readFileSync(join(folder, 'dead-letter.ndjson'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a spooling sink before a server that is well', () => {
  it('writes to it, one write a request, and nothing to disk', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    await Promise.all([spooling.write(2), spooling.write(3), spooling.write(1)]);
    expect(server.arrivals.map(({ lines }) => lines.length)).toEqual([2, 3, 1]);
    expect([...server.stored]).toEqual(spooling.acknowledged);
    expect(server.mostSockets).toBe(1);
    expect(spooling.sink.stats()).toMatchObject({ appendedPoints: 0, bytes: 0 });
    expect(readdirSync(spooling.folder)).toEqual([]);
    await spooling.sink.writeLines(Buffer.alloc(0));
    expect(server.arrivals).toHaveLength(3);
  });
});

describe('a spooling sink before a server that fails', () => {
  it('tries again at once when it is told that the server is there', async () => {
    const server = await startLineServer();
    const never = { firstMs: 864_000_000, lastMs: 864_000_000, slowMs: 864_000_000, maxAskedMs: 0 };
    const spooling = await Spooling.open(server.url, { pace: never });
    server.reply = () => ({ kind: 'refuse', status: 503 });
    await spooling.write(3);
    await spooling.write(3);
    server.reply = () => STORE;
    spooling.sink.hurry();
    await expectDrained(spooling, server);
    await spooling.write(1);
    expect(spooling.sink.stats().appendedPoints).toBe(6);
  });

  it('acknowledges while the server hangs, asks it no more than twice at a time, and drains when it answers', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    await spooling.write(10);
    server.reply = () => HANG;
    await spooling.write(10);
    const asked = server.arrivals.length;
    for (let i = 0; i < 50; i++) await spooling.write(10);
    expect(spooling.sink.backlog().points).toBe(510);
    await waitFor('the drainer to ask again and again', () => server.arrivals.length >= asked + 2);
    server.reply = () => STORE;
    await expectDrained(spooling, server);
    expect(server.mostSockets).toBeLessThanOrEqual(2);
    expect(spooling.told('away').map(({ fault }) => fault.kind)).toEqual(['timeout']);
    expect(spooling.told('back')).toMatchObject([{ drainedPoints: 510 }]);

    const before = spooling.sink.stats().appendedPoints;
    await spooling.write(10);
    expect(spooling.sink.stats().appendedPoints).toBe(before);
  });

  it('stores a write once that was stored too late for its deadline', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directDeadlineMs: 50 });
    server.reply = () => ({ kind: 'store_late', ms: 150 });
    for (let i = 0; i < 5; i++) await spooling.write(2);
    expect(spooling.sink.stats().appendedPoints).toBeGreaterThanOrEqual(2);
    await expectDrained(spooling, server);
    expect(server.mostSockets).toBeLessThanOrEqual(2);
  });

  it('waits as long as the server asks for, writers included', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 429, headers: { 'retry-after': '5' } });
    await spooling.write();
    server.reply = () => STORE;
    for (let i = 0; i < 20; i++) await spooling.write();
    expect(server.arrivals).toHaveLength(1);
    await expectDrained(spooling, server);
    const [first, second] = server.arrivals;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(5000);
    expect(spooling.told('away')).toMatchObject([{ fault: { kind: 'overloaded', retryAfterMs: 5000 } }]);
  });

  it('keeps everything while the token is refused, and says so once', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 401 });
    for (let i = 0; i < 20; i++) await spooling.write(5);
    await waitFor('several tries', () => server.arrivals.length >= 5);
    expect(spooling.told('away').map(({ fault }) => fault.kind)).toEqual(['unauthorized']);
    expect(spooling.told('dead_letters')).toEqual([]);
    server.reply = () => STORE;
    await expectDrained(spooling, server);
    server.reply = () => ({ kind: 'refuse', status: 401 });
    await spooling.write();
    expect(spooling.told('away')).toHaveLength(2); // another episode
  });

  it('keeps the lines, and asks for them whole, where the answer is one that nobody knows', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 404 });
    await spooling.write(100);
    await waitFor('several tries', () => server.arrivals.length >= 4);
    expect(server.arrivals.every(({ lines }) => lines.length === 100)).toBe(true);
    server.reply = () => STORE;
    await expectDrained(spooling, server);
  });

  it('halves what is too large, and sends no larger ones after that', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = ({ bytes }) => (bytes > 5000 ? { kind: 'refuse', status: 413 } : STORE);
    for (let i = 0; i < 5; i++) await spooling.write(400);
    await expectDrained(spooling, server);
    const tooLarge = server.arrivals.filter(({ bytes }) => bytes > 5000);
    expect(tooLarge.length).toBeLessThanOrEqual(10);
    expect(spooling.told('dead_letters')).toEqual([]);
  });

  it('sets a single line aside that is too large', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = ({ bytes }) => (bytes > 1000 ? { kind: 'refuse', status: 413 } : STORE);
    const huge = `m s="${'x'.repeat(1000)}" 1`;
    await spooling.sink.write(Buffer.from(`${huge}\n`), 1);
    await spooling.write();
    await expectDrained(spooling, server);
    expect(deadLetters(spooling)).toMatchObject([{ line: huge, reason: 'too_large' }]);
  });

  it('comes back to a server that broke every connection and refused new ones', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    await spooling.write();
    await server.vanish();
    for (let i = 0; i < 20; i++) await spooling.write(5);
    expect(spooling.told('away').map(({ fault }) => fault.kind)).toEqual(['unreachable']);
    await server.listen();
    await expectDrained(spooling, server);
    expect(server.mostSockets).toBeLessThanOrEqual(2);
  });

  it('keeps lines apart whose last one was not ended', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 503, headers: { 'retry-after': '1' } });
    for (const line of ['a x=1 1', 'b x=2 2\nc x=3 3']) await spooling.sink.writeLines(Buffer.from(line));
    server.reply = () => STORE;
    await waitFor('the spool to be drained', () => spooling.told('back').length > 0);
    expect([...server.stored]).toEqual(['a x=1 1', 'b x=2 2', 'c x=3 3']);
    expect(spooling.sink.stats().appendedPoints).toBe(3);
  });

  it('writes past the spool again under a load that never pauses', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directDeadlineMs: 2000 });
    server.reply = () => HANG;
    await spooling.write(10);
    server.reply = () => ({ kind: 'store_late', ms: 10 });
    let goes = true;
    const load = (async () => {
      while (goes) await spooling.write(10);
    })();
    await waitFor('the spool to be drained', () => spooling.told('back').length > 0, 30_000);
    const before = spooling.sink.stats().appendedPoints;
    const written = spooling.acknowledged.length;
    await waitFor('further writes', () => spooling.acknowledged.length > written + 200);
    expect(spooling.sink.stats().appendedPoints).toBe(before);
    goes = false;
    await load;
    await expectDrained(spooling, server);
  });

  it('joins many small batches into few requests', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 503, headers: { 'retry-after': '1' } });
    for (let i = 0; i < 500; i++) await spooling.write(2);
    const before = server.arrivals.length;
    server.reply = () => STORE;
    await expectDrained(spooling, server);
    expect(server.arrivals.length - before).toBeLessThanOrEqual(3);
  });
});

describe('a spooling sink with points that the server will never take', () => {
  it.each([
    ['keeps the good lines of a batch', false],
    ['refuses a batch whole', true],
  ])('finds them where the server %s, and stores all others in order', async (_what, whole) => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    const bad = new Set([17, 18, 400, 999, 1000].map((number) => spooling.line(number)));
    server.reply = () => ({ kind: 'partial', bad, whole });
    for (let i = 0; i < 12; i++) await spooling.write(100);
    await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0);
    const good = spooling.acknowledged.filter((line) => !bad.has(line));
    expect([...server.stored].toSorted()).toEqual(good.toSorted());
    if (whole) expect([...server.stored]).toEqual(good);
    expect(deadLetters(spooling).map(({ line }) => line)).toEqual([...bad]);
    expect(deadLetters(spooling)[0]).toMatchObject({
      reason: 'bad_points',
      message: expect.stringContaining('partial'),
    });
    const { deadLetters: stats } = spooling.sink.stats();
    expect(stats).toEqual({ lines: { bad_points: 5, beside_bad_points: 0, too_large: 0 }, forgottenLines: 0 });
    await waitFor('the report', () => spooling.told('dead_letters').length > 0);
    expect(spooling.told('dead_letters')[0]).toMatchObject({ forgottenLines: 0, error: null });
  });

  it('tells which of them are in no file, and why', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    mkdirSync(join(spooling.folder, 'dead-letter.ndjson'));
    const bad = new Set([3, 7].map((number) => spooling.line(number)));
    server.reply = () => ({ kind: 'partial', bad });
    await spooling.write(10);
    await waitFor('the report', () => spooling.told('dead_letters').length > 0);
    expect(spooling.told('dead_letters')).toMatchObject([{ lines: 2, forgottenLines: 2, error: { code: 'EISDIR' } }]);
    expect(spooling.sink.stats().deadLetters.forgottenLines).toBe(2);
  });

  it('asks no more than so often where nearly all are bad, and blocks nobody behind them', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    const bad = new Set(Array.from({ length: 5000 }, (_, i) => spooling.line(i + 1)));
    server.reply = () => ({ kind: 'partial', bad });
    await spooling.write(5000);
    const last = await spooling.write(10);
    await waitFor('what came behind', () => last.every((line) => server.stored.has(line)), 40_000);
    expect(server.arrivals.length).toBeLessThan(1500);
    const { lines } = spooling.sink.stats().deadLetters;
    expect(lines.bad_points + lines.beside_bad_points).toBe(5000);
    expect(spooling.told('dead_letters').reduce((sum, { lines: count }) => sum + count, 0)).toBe(5000);
  });
});

describe('a spooling sink on the machine', () => {
  it('refuses at its bound, drops nothing that it acknowledged, and goes on when it is drained', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { maxBytes: 5000, segmentBytes: 1000 });
    server.reply = () => HANG;
    let refused: unknown = null;
    while (refused === null) await spooling.write(5).catch((error: unknown) => (refused = error));
    expect(refused).toMatchObject({ name: 'SpoolFault', code: 'SPOOL_FULL' });
    await expect(spooling.write(5)).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    expect(spooling.sink.stats()).toMatchObject({ refusedWrites: { SPOOL_FULL: 2 } });
    expect(spooling.sink.backlog().points).toBe(spooling.acknowledged.length);
    server.reply = () => STORE;
    await waitFor('room', () =>
      spooling.write(5).then(
        () => true,
        () => false,
      ),
    );
    await expectDrained(spooling, server);
  });

  it('ends although the server hangs, and drains after the next start', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directDeadlineMs: 100, drainDeadlineMs: 60_000 });
    server.reply = () => HANG;
    await spooling.write(5);
    await waitFor('the drainer to ask', () => server.arrivals.length >= 2);
    const closing = spooling.reopen();
    server.reply = () => STORE;
    await closing;
    await spooling.write(5);
    await expectDrained(spooling, server);
    await spooling.reopen();
    expect(spooling.sink.stats()).toMatchObject({ points: 0, bytes: 0 });
  });

  it('waits for a disk that cannot be read as it waits for a server', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url);
    server.reply = () => ({ kind: 'refuse', status: 503, headers: { 'retry-after': '1' } });
    await spooling.write(5);
    await spooling.write(5); // behind what the drainer has read already
    const [segment] = readdirSync(spooling.folder);
    const file = join(spooling.folder, String(segment));
    renameSync(file, `${file}.gone`);
    server.reply = () => STORE;
    await waitFor('the fault to be told', () => spooling.told('disk_fault').length > 0);
    await spooling.write(5);
    renameSync(`${file}.gone`, file);
    await expectDrained(spooling, server);
  });
});
