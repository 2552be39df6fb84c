import type { Delivery } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpReceiver, openHttpReceiver } from './rig/http-receiver.js';
import { LedgerBench } from './rig/ledger-bench.js';
import { deliver, type DeliveryOutcome } from './deliver.js';
import { type DeliveryLimitSettings, subjectLimit } from './limit/delivery-limits.js';
import { MemoryLimiter } from './limit/memory-limiter.js';
import { seedLimiter } from './limit/seed-limiter.js';

const LIMITS: DeliveryLimitSettings = { subject: { max: 1, windowMs: 300_000 }, channel: { max: 2, windowMs: 60_000 } };

describe('deliver', () => {
  let bench: LedgerBench;
  let receiver: HttpReceiver;
  let channel: string;
  let now = 0;
  let limiter: MemoryLimiter;
  let faults: unknown[];

  beforeEach(async () => {
    now = 0;
    faults = [];
    limiter = new MemoryLimiter({ steadyMs: () => now });
    bench = await LedgerBench.open();
    receiver = await openHttpReceiver();
    channel = await bench.addWebhook(receiver.url);
  });
  afterEach(async () => {
    await receiver.close();
    await bench.close();
  });

  /** Claims the oldest waiting delivery and tries it. */
  async function attemptNext(): Promise<{ readonly delivery: Delivery; readonly outcome: DeliveryOutcome }> {
    const [delivery] = await bench.outbox.claimDue(Date.now() + 1e9, 1);
    if (delivery === undefined) throw new Error('nothing is due');
    const find = (project: string, id: string) => bench.directory.find(project, id);
    const deps = {
      limiter,
      limits: LIMITS,
      ledger: bench.outbox,
      find,
      onFault: (error: unknown) => faults.push(error),
    };
    return { delivery, outcome: await deliver(delivery, deps, new AbortController().signal) };
  }

  /** Claims the oldest waiting delivery, tries it and writes an end that is not a retry. */
  async function tryNext(): Promise<DeliveryOutcome> {
    const { delivery, outcome } = await attemptNext();
    const done = { atMs: Date.now(), durationMs: 1, detail: null };
    if (outcome.kind === 'sent') await bench.outbox.markDelivered(delivery.id, done);
    else if (outcome.kind === 'suppressed')
      await bench.outbox.markSuppressed(delivery, {
        reason: '',
        atMs: done.atMs,
        releaseMs: 1e15,
        byChannel: outcome.channelLimit !== null,
      });
    else await bench.outbox.markRetry(delivery.id, { ...done, dueMs: Date.now() });
    return outcome;
  }

  it('suppresses what a subject or a channel has had enough of, and says which', async () => {
    await bench.fire('m1', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
    const again = await bench.fire('m1-other', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
    await bench.change(again, { kind: 'repeated', channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed', reason: expect.stringContaining('for this model') });
    await bench.fire('m2', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed', reason: expect.stringContaining('of the channel') });
  });

  it('holds back what a full channel has no place for until the oldest place ends, and says what else waits', async () => {
    await bench.fire('m1', { channelIds: [channel] });
    await tryNext();
    now += 10_000;
    await bench.fire('m2', { channelIds: [channel] });
    await tryNext();
    now += 5000;
    for (const model of ['m3', 'm4', 'm5', 'm6', 'm7']) {
      await bench.fire(model, { channelIds: [channel] });
      expect(await tryNext()).toMatchObject({
        kind: 'suppressed',
        releaseAfterMs: 45_000,
        channelLimit: { max: 2, windowMs: 60_000 },
      });
    }
    now += 44_999;
    await bench.fire('m8', { channelIds: [channel] });
    // A backlog does not ask more often than one of it may go.
    expect(await tryNext()).toMatchObject({ kind: 'suppressed', releaseAfterMs: 30_000 });
    now += 1;
    await bench.fire('m9', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
    const told: unknown = JSON.parse(receiver.requests.at(-1)?.body ?? '');
    expect(told).toMatchObject({ model_id: 'm9', waiting_models: { count: 6, first: ['m3', 'm4', 'm5'] } });
  });

  it('goes out without what else waits where that cannot be read, and reports it', async () => {
    await bench.fire('m1', { channelIds: [channel] });
    await bench.state.db.schema.alterTable('deliveries').renameColumn('held_by_channel', 'out_of_order').execute();
    expect((await attemptNext()).outcome).toMatchObject({ kind: 'sent' });
    expect(JSON.parse(receiver.requests.at(-1)?.body ?? '')).not.toHaveProperty('waiting_models');
    expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining('held_by_channel') })]);
  });

  it('postpones a resolved notice that is owed until the channel has a place again', async () => {
    const alert = await bench.fire('m1', { channelIds: [channel] });
    await tryNext();
    now += 10_000;
    await bench.fire('m2', { channelIds: [channel] });
    await tryNext();
    await bench.change(alert, { kind: 'resolved', channelIds: [channel] });
    expect(await tryNext()).toEqual({ kind: 'postponed', reason: 'the limit of the channel', afterMs: 50_000 });
    now += 50_000;
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
  });

  it('does not let a failed try stand in the way of its own repeat', async () => {
    receiver.answerWith((response) => response.writeHead(503).end());
    await bench.fire('m1', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'retry' });
    receiver.answerWith((response) => response.writeHead(200).end());
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
  });

  it('postpones the repeat of a failed try when others have taken the places of the channel meanwhile', async () => {
    receiver.answerWith((response) => response.writeHead(503).end());
    await bench.fire('m1', { channelIds: [channel] });
    await tryNext();
    const [failed] = await bench.ledger();
    now += 400_000;
    const busy = { project: 'default', channelId: channel, alertType: 'latency', severity: 'high' } as const;
    for (const modelId of ['a', 'b']) {
      const channelOnly = { key: JSON.stringify(['channel', 'default', channel]), ...LIMITS.channel };
      await limiter.take([subjectLimit({ ...busy, modelId }, LIMITS), channelOnly], modelId);
    }
    expect(failed?.attempts).toBe(1);
    expect(await tryNext()).toEqual({ kind: 'postponed', reason: 'the limit of the channel', afterMs: 60_000 });
  });

  /** Begins a new life, as a process does that starts on this ledger; answers how many places are taken. */
  async function restart(): Promise<number> {
    limiter = new MemoryLimiter({ steadyMs: () => now });
    const taken = await seedLimiter(limiter, bench.outbox, { limits: LIMITS, nowMs: Date.now() });
    await bench.outbox.releaseSending(Date.now());
    return taken;
  }

  it('remembers over a restart what went out, also while the window runs', async () => {
    const alert = await bench.fire('m1', { channelIds: [channel] });
    await tryNext();
    expect(await restart()).toBe(1);
    await bench.change(alert, { kind: 'repeated', channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed' });
  });

  it.each(['one restart', 'two restarts'])(
    'sends no more than a channel takes over %s, of which one comes while a message is being sent',
    async (restarts) => {
      await bench.fire('m1', { channelIds: [channel] });
      await tryNext();
      await bench.fire('m2', { channelIds: [channel] });
      expect((await attemptNext()).outcome).toMatchObject({ kind: 'sent' });
      expect(await restart()).toBe(2);
      if (restarts === 'two restarts') expect(await restart()).toBe(2);
      expect(await tryNext()).toMatchObject({ kind: 'suppressed', reason: expect.stringContaining('of the channel') });
      await bench.fire('m3', { channelIds: [channel] });
      expect(await tryNext()).toMatchObject({ kind: 'suppressed' });
      expect(receiver.requests).toHaveLength(LIMITS.channel.max);
    },
  );

  it('repeats after a restart what was being sent, as long as its channel has a place, and counts both', async () => {
    await bench.fire('m1', { channelIds: [channel] });
    const { delivery } = await attemptNext();
    await restart();
    const again = await attemptNext();
    expect(again).toMatchObject({ delivery: { id: delivery.id }, outcome: { kind: 'sent' } });
    await bench.outbox.markDelivered(delivery.id, { atMs: Date.now(), durationMs: 1, detail: null });
    await bench.fire('m2', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed', reason: expect.stringContaining('of the channel') });
    expect(await restart()).toBe(2);
    await bench.fire('m3', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed' });
  });

  it('remembers over a restart what failed, which keeps its place for its repeat', async () => {
    receiver.answerWith((response) => response.writeHead(503).end());
    await bench.fire('m1', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'retry' });
    expect(await restart()).toBe(1);
    receiver.answerWith((response) => response.writeHead(200).end());
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
    await bench.fire('m2', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'sent' });
    await bench.fire('m3', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed' });
  });

  it('holds places over a restart for what failed and for what was given up', async () => {
    receiver.answerWith((response) => response.writeHead(503).end());
    await bench.fire('m1', { channelIds: [channel] });
    await tryNext();
    await bench.fire('m2', { channelIds: [channel] });
    const failed = await bench.outbox.claimDue(Date.now() + 1e9, 9);
    for (const { id, modelId } of failed) {
      const done = { atMs: Date.now(), durationMs: 1, detail: 'HTTP 503' };
      if (modelId === 'm1') await bench.outbox.markRetry(id, { ...done, dueMs: 1e15 });
      else await bench.outbox.markDead(id, done);
    }
    expect(await restart()).toBe(2);
    await bench.fire('m3', { channelIds: [channel] });
    expect(await tryNext()).toMatchObject({ kind: 'suppressed', reason: expect.stringContaining('of the channel') });
  });

  it('rejects a delivery whose channel was removed or disabled, and one whose payload is none', async () => {
    const gone = await bench.addWebhook(receiver.url);
    await bench.fire('m1', { channelIds: [gone] });
    await bench.channels.disable('default', gone, { reason: 'HTTP 410', nowMs: 0 });
    expect(await tryNext()).toEqual({ kind: 'reject', reason: 'the channel is disabled: HTTP 410' });
    await bench.channels.remove('default', gone, { nowMs: 0 });
    const find = (project: string, id: string) => bench.directory.find(project, id);
    expect(await find('default', gone)).toEqual({ kind: 'reject', reason: 'the channel was removed' });
    const [delivery] = await bench.ledger();
    if (delivery === undefined) throw new Error('no delivery');
    const onFault = () => undefined;
    const deps = { limiter, limits: LIMITS, ledger: bench.outbox, find, onFault };
    for (const payload of ['', '{}', '[]', 'null', '{"event":"fired"']) {
      const outcome = await deliver({ ...delivery, payload }, deps, new AbortController().signal);
      expect(outcome).toEqual({ kind: 'reject', reason: 'the payload is not a notification' });
    }
    expect(receiver.connections()).toBe(0);
  });
});
