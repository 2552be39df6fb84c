import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../rig/random.js';
import { waitFor } from '../../rig/wait-for.js';
import { type LineServer, type Reply, startLineServer } from './rig/line-server.js';
import { Spooling } from './rig/spooling.js';

const HANG: Reply = { kind: 'hang' };
const LATE: Reply = { kind: 'store_late', ms: 10 };

async function expectAllStored(spooling: Spooling, server: LineServer): Promise<void> {
  await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0, 30_000);
  expect([...server.stored].toSorted()).toEqual(spooling.acknowledged.toSorted());
}

describe('a spooling sink that writes two batches at a time', () => {
  it('has the others wait for these, and nothing go to disk', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2, directDeadlineMs: 10_000 });
    server.reply = () => LATE;
    await Promise.all(Array.from({ length: 40 }, () => spooling.write(3)));
    expect([...server.stored].toSorted()).toEqual(spooling.acknowledged.toSorted());
    expect(server.mostSockets).toBe(2);
    expect(spooling.sink.stats().appendedPoints).toBe(0);
  });

  it('waits as long as the server asked for, also when the other request failed after that', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2, directDeadlineMs: 300 });
    server.reply = ({ lines }) =>
      lines.length === 1 ? { kind: 'refuse', status: 429, headers: { 'retry-after': '2' } } : HANG;
    await Promise.all([spooling.write(1), spooling.write(2)]);
    server.reply = () => LATE;
    await expectAllStored(spooling, server);
    const [first, , third] = server.arrivals;
    expect((third?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(2000);
  });

  it('tells a fault once, although a request that began before it goes well after it', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2 });
    server.reply = ({ lines }) => {
      if (lines.length > 1) return { kind: 'store_late', ms: 200 };
      return { kind: 'refuse', status: 503, headers: { 'retry-after': '1' } };
    };
    await Promise.all([spooling.write(2), spooling.write(1)]);
    server.reply = () => ({ kind: 'refuse', status: 503 });
    await waitFor('another refusal', () => server.arrivals.length >= 3);
    server.reply = () => LATE;
    await expectAllStored(spooling, server);
    expect(spooling.told('away')).toHaveLength(1);
  });

  it('keeps both where the server hangs, and asks it no more than three times at a time', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2 });
    server.reply = () => HANG;
    for (let i = 0; i < 10; i++) await Promise.all([spooling.write(5), spooling.write(5), spooling.write(5)]);
    expect(spooling.sink.backlog().points).toBe(150);
    server.reply = () => LATE;
    await expectAllStored(spooling, server);
    expect(server.mostSockets).toBeLessThanOrEqual(3);
    expect(spooling.told('away')).toHaveLength(1);
  });

  it('writes past the spool again under two loads that never pause', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2, directDeadlineMs: 2000 });
    server.reply = () => HANG;
    await spooling.write(10);
    server.reply = () => LATE;
    let goes = true;
    const loads = [1, 2].map(async () => {
      while (goes) await spooling.write(10);
    });
    await waitFor('the spool to be drained', () => spooling.told('back').length > 0, 30_000);
    const written = spooling.acknowledged.length;
    await waitFor('further writes', () => spooling.acknowledged.length > written + 200);
    const before = spooling.sink.stats().appendedPoints;
    await waitFor('further writes', () => spooling.acknowledged.length > written + 1000);
    expect(spooling.sink.stats().appendedPoints).toBe(before);
    goes = false;
    await Promise.all(loads);
    await expectAllStored(spooling, server);
  });

  it('drains under two loads that never pause and would append more than the server takes', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2, drainBatchBytes: 128 * 1024 });
    server.reply = () => HANG;
    for (let batch = 0; batch < 20; batch++) await spooling.write(1000);
    // 50 lines a ms: an append to a disk is faster.
    server.reply = ({ lines }) => ({ kind: 'store_late', ms: lines.length / 50 });
    await waitFor('a request that goes well', () => spooling.sink.stats().drainedPoints > 0);
    let goes = true;
    const loads = [1, 2].map(async () => {
      while (goes) await spooling.write(1000);
    });
    const end = waitFor('the end of it', () => spooling.told('back').length > 0, 30_000);
    await Promise.race([Promise.all(loads), end]).finally(() => (goes = false));
    await Promise.all(loads);
    await expectAllStored(spooling, server);
  });

  it('loses nothing that it acknowledged, whatever the server does', async () => {
    const server = await startLineServer();
    const spooling = await Spooling.open(server.url, { directWrites: 2, directDeadlineMs: 50, drainDeadlineMs: 50 });
    const random = seededRandom(11);
    const replies: readonly Reply[] = [
      ...[LATE, LATE, LATE, HANG, { kind: 'store_late', ms: 120 } as const],
      ...[{ kind: 'refuse', status: 503 } as const, { kind: 'refuse', status: 413 } as const],
    ];
    server.reply = () => replies[random.below(replies.length)] ?? LATE;
    for (let i = 0; i < 60; i++) {
      await Promise.all(Array.from({ length: 1 + random.below(4) }, () => spooling.write(1 + random.below(20))));
      if (i % 20 === 10) await spooling.reopen();
    }
    server.reply = () => LATE;
    // A line that was alone and refused as too large was set aside.
    const aside = spooling.told('dead_letters').reduce((sum, { lines }) => sum + lines, 0);
    await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0, 30_000);
    const missing = spooling.acknowledged.filter((line) => !server.stored.has(line));
    expect(missing.length).toBeLessThanOrEqual(aside);
    expect(new Set(spooling.acknowledged).size).toBe(spooling.acknowledged.length);
  });
});
