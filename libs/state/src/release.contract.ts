import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';
import { Deliveries } from './deliveries.js';
import type { Delivery } from './delivery.js';
import { aFiring, aResolution, committed, type MakeEngine } from './engine.contract.js';
import { Outbox } from './outbox.js';
import { held, only, tried, useLedger } from './rig/ledger.js';

/** describePort states what holds for the release of what was held back, on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another, fire } = useLedger(makeEngine);

  describe('the end of a window', () => {
    /** Fires, resolves and fires again, all of it held back; answers the ids, oldest first. */
    const holdBack = async (channelIds = ['c1'], releaseMs = 100): Promise<Delivery[]> => {
      const [alerts, outbox] = [new Alerts(state()), new Outbox(state())];
      const { alert } = await fire(10, 'm', channelIds);
      committed(await alerts.commitTransition(aResolution(alert, 11)));
      await fire(12, 'm', channelIds);
      const all: Delivery[] = [];
      for (let claims = await outbox.claimDue(20, 10); claims.length > 0; claims = await outbox.claimDue(20, 10)) {
        all.push(...claims);
        for (const claim of claims) await outbox.markSuppressed(claim, held(20, releaseMs));
      }
      return all.sort((a, b) => a.createdMs - b.createdMs);
    };

    it('releases the newest of what was held back, which sums up the rest', async () => {
      const [outbox, ledger] = [new Outbox(state()), new Deliveries(state())];
      const newest = (await holdBack()).at(-1);
      expect(await outbox.nextReleaseMs()).toBe(100);
      expect(await outbox.releaseDue(99, 10)).toBe(0);
      expect(await outbox.nextDueMs()).toBeNull();
      expect(await outbox.releaseDue(100, 10)).toBe(1);
      expect(await outbox.nextReleaseMs()).toBeNull();
      const released = only(await outbox.claimDue(100, 10));
      expect(released).toMatchObject({ id: newest?.id, eventId: newest?.eventId, scheduledMs: 100, releaseMs: null });
      expect(await outbox.suppressedSince(released)).toBe(2);
      await outbox.markDelivered(released.id, tried(101));
      expect(await outbox.releaseDue(9999, 10)).toBe(0);
      const statuses = (await ledger.list({ project: 'p', limit: 9 })).map(({ status }) => status);
      expect(statuses.toSorted()).toEqual(['delivered', 'suppressed', 'suppressed']);
      expect((await ledger.list({ project: 'p', limit: 9 })).map(({ releaseMs }) => releaseMs)).toEqual([
        null,
        null,
        null,
      ]);
    });

    it('releases one message for each channel, and each to one of two handles', async () => {
      await holdBack(['c1', 'c2']);
      const handles = [new Outbox(state()), new Outbox(await another())];
      const released = await Promise.all(handles.map((outbox) => outbox.releaseDue(100, 10)));
      expect(released.reduce((sum, count) => sum + count, 0)).toBe(2);
      expect(new Set((await handles[0]?.claimDue(100, 10))?.map(({ channelId }) => channelId)).size).toBe(2);
    });

    it('releases nothing while another message of the model is under way, nor once that went out', async () => {
      const outbox = new Outbox(state());
      const newest = (await holdBack()).at(-1);
      committed(await new Alerts(state()).commitTransition(aFiring(30, { key: { rule: 'gpu_memory' } })));
      expect(await outbox.nextReleaseMs()).toBeNull();
      expect(await outbox.releaseDue(100, 10)).toBe(0);
      const other = only(await outbox.claimDue(100, 10));
      expect(await outbox.suppressedSince(other)).toBe(3);
      expect(await outbox.releaseDue(100, 10)).toBe(0);
      await outbox.markDead(other.id, tried(110, 'HTTP 404'));
      expect(await outbox.releaseDue(110, 10)).toBe(1);
      expect(only(await outbox.claimDue(110, 10)).id).toBe(newest?.id);
    });

    it('lets a message that is held back again stand behind a newer one', async () => {
      const outbox = new Outbox(state());
      await holdBack();
      await outbox.releaseDue(100, 10);
      const released = only(await outbox.claimDue(100, 10));
      const alert = only(await new Alerts(state()).loadFiring());
      committed(await new Alerts(state()).commitTransition(aResolution(alert, 101)));
      await outbox.markSuppressed(released, held(102, 500));
      const resolved = only(await outbox.claimDue(102, 10));
      await outbox.markSuppressed(resolved, held(103, 500));
      expect(await outbox.releaseDue(500, 10)).toBe(1);
      expect(only(await outbox.claimDue(500, 10)).eventKind).toBe('resolved');
    });

    /** Holds back what a full channel refused, then lets the rest wait that is due there. */
    const refuse = async (claim: Delivery, atMs: number, { untilMs, max }: { untilMs: number; max: number }) => {
      const outbox = new Outbox(state());
      await outbox.markSuppressed(claim, held(atMs, untilMs, true));
      return outbox.delayReleases(claim, { nowMs: atMs, untilMs, max, windowMs: 1000 });
    };
    const channelOf = (modelId: string) => ({ project: 'p', channelId: 'c1', modelId });

    it('touches nothing of another subject by a mark, so that two marks do not wait for each other', async () => {
      const outbox = new Outbox(state());
      await fire(10, 'a');
      await outbox.markSuppressed(only(await outbox.claimDue(10, 10)), held(11, 50));
      await fire(12, 'b');
      await outbox.markSuppressed(only(await outbox.claimDue(60, 10)), held(60, 900, true));
      expect(await outbox.nextReleaseMs()).toBe(50);
    });

    it('lets all that is due on a full channel wait, and nothing else', async () => {
      const outbox = new Outbox(state());
      for (const [index, modelId] of ['a', 'b', 'c'].entries()) {
        await fire(10, modelId, modelId === 'c' ? ['c2'] : ['c1']);
        for (const claim of await outbox.claimDue(10, 10)) await outbox.markSuppressed(claim, held(11, 50 + index));
      }
      expect(await outbox.releaseDue(60, 1)).toBe(1);
      expect(await refuse(only(await outbox.claimDue(60, 10)), 60, { untilMs: 900, max: 2 })).toBe(1);
      expect(await outbox.releaseDue(899, 10)).toBe(1);
      expect(only(await outbox.claimDue(899, 10)).modelId).toBe('c');
      expect(await outbox.waitingModels(channelOf('d'), 3)).toEqual({ count: 2, first: ['a', 'b'] });
      expect(await outbox.releaseDue(900, 10)).toBe(2);
    });

    it('gives no turn to what cannot go, as another message of its model is under way', async () => {
      const outbox = new Outbox(state());
      for (const [index, modelId] of ['a', 'b'].entries()) {
        await fire(index, modelId);
        await outbox.markSuppressed(only(await outbox.claimDue(10, 10)), held(10, 50));
      }
      committed(await new Alerts(state()).commitTransition(aFiring(30, { key: { modelId: 'a', rule: 'gpu_memory' } })));
      const underWay = only(await outbox.claimDue(60, 10));
      await fire(31, 'refused');
      expect(await refuse(only(await outbox.claimDue(60, 10)), 60, { untilMs: 100, max: 1 })).toBe(1);
      expect(await outbox.releaseDue(100, 10)).toBe(2);
      const released = await outbox.claimDue(100, 10);
      expect(released.map(({ modelId }) => modelId).toSorted()).toEqual(['b', 'refused']);
      await outbox.markDead(underWay.id, tried(110, 'HTTP 404'));
      expect(await outbox.releaseDue(110, 10)).toBe(1);
    });

    it('does not release what is delayed at the same moment', async () => {
      for (const [index, modelId] of ['a', 'b', 'c', 'd'].entries()) {
        await fire(index, modelId);
        await new Outbox(state()).markSuppressed(only(await new Outbox(state()).claimDue(10, 10)), held(10, 50));
      }
      const [one, two] = [new Outbox(state()), new Outbox(await another())];
      const delay = { nowMs: 60, untilMs: 100, max: 4, windowMs: 1000 };
      const [released, delayed] = await Promise.all([one.releaseDue(60, 10), two.delayReleases(channelOf('a'), delay)]);
      expect(released + delayed).toBe(4);
      expect(await one.claimDue(60, 10)).toHaveLength(released);
      expect(await one.releaseDue(100, 10)).toBe(delayed);
    });

    it('lets more than a channel takes in a window wait a window longer, the oldest in the first turns', async () => {
      const outbox = new Outbox(state());
      for (const [index, modelId] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
        await fire(index, modelId);
        for (const claim of await outbox.claimDue(10, 10)) await outbox.markSuppressed(claim, held(11, 50));
        await fire(11, `other ${modelId}`, ['other']);
      }
      for (const claim of await outbox.claimDue(11, 10)) await outbox.markSuppressed(claim, held(11, 50));
      await fire(12, 'refused');
      const refused = only(await outbox.claimDue(60, 10));
      await refuse(refused, 60, { untilMs: 100, max: 2 });
      expect(await outbox.releaseDue(99, 10)).toBe(6);
      expect((await outbox.claimDue(99, 10)).map(({ channelId }) => channelId)).toEqual(Array(6).fill('other'));
      const released: string[][] = [];
      for (const nowMs of [100, 1099, 1100, 2100]) {
        await outbox.releaseDue(nowMs, 10);
        const models = (await outbox.claimDue(nowMs, 10)).map(({ modelId }) => modelId);
        released.push(models.toSorted());
      }
      expect(released).toEqual([['a', 'b', 'refused'], [], ['c', 'd'], ['e', 'f']]);
    });

    it('tells of which other models messages wait for a channel that is full', async () => {
      const outbox = new Outbox(state());
      for (const [index, modelId] of ['own', 'd', 'c', 'b', 'a'].entries()) {
        await fire(10 + index, modelId, ['c1', 'c2']);
        for (const claim of await outbox.claimDue(20, 10)) {
          const isFull = claim.channelId === 'c1' && modelId !== 'b';
          await outbox.markSuppressed(claim, held(20, 100, isFull));
        }
      }
      const subject = { project: 'p', channelId: 'c1', modelId: 'own' };
      expect(await outbox.waitingModels(subject, 2)).toEqual({ count: 3, first: ['d', 'c'] });
      expect(await outbox.waitingModels({ ...subject, channelId: 'c2' }, 2)).toEqual({ count: 0, first: [] });
      expect(await outbox.waitingModels({ ...subject, project: 'q' }, 2)).toEqual({ count: 0, first: [] });
      await outbox.releaseDue(100, 10);
      const claims = await outbox.claimDue(100, 10);
      expect(await outbox.waitingModels(subject, 2)).toEqual({ count: 0, first: [] });
      for (const claim of claims) await outbox.markSuppressed(claim, held(101, 200));
      expect(await outbox.waitingModels(subject, 2)).toEqual({ count: 0, first: [] });
    });

    it('counts what was released and has found no place yet, and nothing that was tried', async () => {
      const [outbox, ledger] = [new Outbox(state()), new Deliveries(state())];
      for (const [index, modelId] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
        await fire(10 + index, modelId);
        const claim = only(await outbox.claimDue(20, 10));
        await outbox.markSuppressed(claim, held(20, modelId === 'f' ? 5000 : 100, true));
      }
      await fire(16, 'news');
      const waiting = () => outbox.waitingModels(channelOf('own'), 9);
      expect(await outbox.releaseDue(100, 10)).toBe(5);
      expect(await waiting()).toEqual({ count: 6, first: ['a', 'b', 'c', 'd', 'e', 'f'] });
      expect((await outbox.waitingModels(channelOf('a'), 9)).first).toEqual(['b', 'c', 'd', 'e', 'f']);
      const claims = new Map((await outbox.claimDue(100, 10)).map((claim) => [claim.modelId, claim]));
      const idOf = (modelId: string) => claims.get(modelId)?.id ?? 'none';
      await outbox.markDelivered(idOf('a'), tried(101));
      await outbox.markRetry(idOf('b'), { ...tried(101, 'HTTP 500'), dueMs: 900 });
      await outbox.markDead(idOf('c'), tried(101, 'HTTP 404'));
      await ledger.replay('p', idOf('c'), 102);
      const again = claims.get('d');
      if (again) await outbox.markSuppressed(again, held(102, 5000, true));
      await outbox.release(idOf('e'), { dueMs: 103, atMs: 102 });
      await outbox.release(idOf('news'), { dueMs: 103, atMs: 102 });
      expect(await waiting()).toEqual({ count: 3, first: ['d', 'e', 'f'] });
    });

    /** Holds back a message about each model, made in this order, on a channel. */
    const holdEach = async (
      releases: Readonly<Record<string, number>>,
      { channelId = 'c1', byChannel = true } = {},
    ) => {
      const outbox = new Outbox(state());
      for (const [index, [modelId, releaseMs]] of Object.entries(releases).entries()) {
        await fire(10 + index, modelId, [channelId]);
        await outbox.markSuppressed(only(await outbox.claimDue(30, 10)), held(30, releaseMs, byChannel));
      }
    };
    const releaseAndClaim = async (nowMs: number, limit: number): Promise<string[]> => {
      const outbox = new Outbox(state());
      await outbox.releaseDue(nowMs, limit);
      return (await outbox.claimDue(nowMs, 10)).map(({ modelId }) => modelId);
    };

    it('releases on a channel first what waits longest, and hands it out in that order', async () => {
      await holdEach({ d: 99, b: 97, c: 98, a: 95 }, { byChannel: false });
      await holdEach({ z: 100, y: 96 }, { channelId: 'c2', byChannel: false });
      expect(await releaseAndClaim(100, 3)).toEqual(['d', 'z', 'y']);
      expect(await releaseAndClaim(100, 3)).toEqual(['b', 'c', 'a']);
    });

    it('releases in the stead of what is due what the channel refused a little later and waits longer', async () => {
      await holdEach({ refused: 103, again: 104, next: 100, last: 100, turn: 60_100 });
      expect(await releaseAndClaim(99, 10)).toEqual([]);
      expect(await releaseAndClaim(100, 10)).toEqual(['refused', 'again']);
      expect(await releaseAndClaim(100, 10)).toEqual(['next', 'last']);
      expect(await releaseAndClaim(60_000, 10)).toEqual([]);
    });

    it('releases nothing before the window of its own subject has ended', async () => {
      await holdEach({ subject: 103 }, { byChannel: false });
      await holdEach({ b: 100 });
      expect(await releaseAndClaim(100, 10)).toEqual(['b']);
      expect(await releaseAndClaim(103, 10)).toEqual(['subject']);
    });

    it('counts and names a model once, however many messages of it wait', async () => {
      const [alerts, outbox] = [new Alerts(state()), new Outbox(state())];
      const holdAll = async (): Promise<void> => {
        for (const claim of await outbox.claimDue(20, 10)) await outbox.markSuppressed(claim, held(20, 100, true));
      };
      await fire(10, 'a');
      await holdAll();
      await fire(11, 'b');
      await holdAll();
      committed(await alerts.commitTransition(aFiring(12, { key: { modelId: 'a', rule: 'gpu_memory' } })));
      await holdAll();
      // As two workers leave it that hold back both at the same moment: neither sees that the other's is newer.
      await state().db.updateTable('deliveries').set({ release_ms: 100 }).where('status', '=', 'suppressed').execute();
      expect(await outbox.waitingModels(channelOf('own'), 1)).toEqual({ count: 2, first: ['a'] });
      expect(await outbox.waitingModels(channelOf('own'), 3)).toEqual({ count: 2, first: ['a', 'b'] });
    });

    it('moves with a wall clock that was set back', async () => {
      const outbox = new Outbox(state());
      await holdBack(['c1'], 3_600_100);
      await outbox.shiftDue(-3_600_000);
      expect(await outbox.nextReleaseMs()).toBe(100);
    });
  });
}
