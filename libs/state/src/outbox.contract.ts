import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';
import { Deliveries } from './deliveries.js';
import type { Delivery } from './delivery.js';
import { aFiring, anEscalation, aResolution, committed, type MakeEngine } from './engine.contract.js';
import { Outbox } from './outbox.js';
import { held, only, tried, useLedger } from './rig/ledger.js';

const about = (id: string) => ({ id, project: 'p', channelId: 'c1', modelId: 'm' });

/** describePort states what holds for the outbox and the ledger on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another, fire } = useLedger(makeEngine);

  describe('a claim', () => {
    it('takes what is due, earliest first, up to the limit, and never twice', async () => {
      const outbox = new Outbox(state());
      for (const atMs of [30, 10, 20, 40]) await fire(atMs, `m${atMs}`);
      expect((await outbox.claimDue(30, 2)).map((delivery) => delivery.dueMs)).toEqual([10, 20]);
      const [third, ...rest] = await outbox.claimDue(30, 10);
      expect(third).toMatchObject({ dueMs: 30, status: 'sending', attempts: 0 });
      expect(rest).toEqual([]);
      expect(await outbox.nextDueMs()).toBe(40);
      await outbox.claimDue(40, 10);
      expect(await outbox.nextDueMs()).toBeNull();
    });

    it('leaves the excluded channels alone, however many they are', async () => {
      const outbox = new Outbox(state());
      await fire(10, 'm', ['c1', 'c2', 'c3']);
      expect(await outbox.claimDue(10, 10, ['c1', 'c2', 'c3'])).toEqual([]);
      expect(await outbox.nextDueMs(['c1', 'c2', 'c3'])).toBeNull();
      expect(only(await outbox.claimDue(10, 10, ['c1', 'c3'])).channelId).toBe('c2');
      expect(only(await outbox.claimDue(10, 10, ['c3'])).channelId).toBe('c1');
    });

    it('gives each delivery to one of two handles that claim at once', async () => {
      for (let i = 0; i < 30; i++) await fire(10, `m${i}`);
      const handles = [new Outbox(state()), new Outbox(await another())];
      const ids: string[] = [];
      // Where claims really race, one that loses may come back with less than was due; nothing is claimed twice.
      while ((await handles[0]?.nextDueMs()) !== null) {
        const claims = await Promise.all(handles.flatMap((outbox) => [outbox.claimDue(10, 9), outbox.claimDue(10, 9)]));
        ids.push(...claims.flat().map((delivery) => delivery.id));
      }
      expect(ids).toHaveLength(30);
      expect(new Set(ids).size).toBe(30);
    });

    it('hands out the events of an alert to a channel in order, one at a time', async () => {
      const [alerts, outbox] = [new Alerts(state()), new Outbox(state())];
      const { alert } = await fire(10);
      const second = committed(await alerts.commitTransition(anEscalation(alert, 20))).alert;
      committed(await alerts.commitTransition(aResolution(second, 30)));
      const fired = only(await outbox.claimDue(99, 10));
      expect(fired.eventKind).toBe('fired');
      expect(await outbox.nextDueMs()).toBeNull();
      await outbox.markRetry(fired.id, { ...tried(40, 'HTTP 503'), dueMs: 500 });
      expect(await outbox.claimDue(99, 10)).toEqual([]);
      expect(await outbox.nextDueMs()).toBe(500);
      await outbox.claimDue(500, 10);
      await outbox.markDead(fired.id, tried(501, 'gave up'));
      const escalated = only(await outbox.claimDue(501, 10));
      expect(escalated.eventKind).toBe('escalated');
      await outbox.markDelivered(escalated.id, tried(502));
      expect(only(await outbox.claimDue(502, 10)).eventKind).toBe('resolved');
    });
  });

  describe('a try', () => {
    it('is kept with its outcome, and its delivery goes where the outcome says', async () => {
      const [outbox, ledger] = [new Outbox(state()), new Deliveries(state())];
      const id = (await fire(10)).deliveryIds[0] ?? '';
      await outbox.claimDue(10, 1);
      expect(await outbox.markRetry(id, { ...tried(11, 'HTTP 503'), dueMs: 50 })).toEqual({ outcome: 'marked' });
      expect(await ledger.get('p', id)).toMatchObject({
        status: 'pending',
        dueMs: 50,
        attempts: 1,
        lastError: 'HTTP 503',
      });
      await outbox.claimDue(50, 1);
      expect(await outbox.markDelivered(id, tried(51, 'HTTP 200'))).toEqual({ outcome: 'marked' });
      expect(await ledger.get('p', id)).toMatchObject({
        status: 'delivered',
        attempts: 2,
        deliveredMs: 51,
        lastError: null,
      });
      expect(await ledger.attempts(id)).toEqual([
        { number: 1, atMs: 11, outcome: 'retry', detail: 'HTTP 503', durationMs: 12.5 },
        { number: 2, atMs: 51, outcome: 'delivered', detail: 'HTTP 200', durationMs: 12.5 },
      ]);
      expect(await ledger.get('q', id)).toBeNull();
    });

    it('is refused when the delivery is not being sent, and then leaves nothing behind', async () => {
      const [outbox, ledger] = [new Outbox(state()), new Deliveries(state())];
      const id = (await fire(10)).deliveryIds[0] ?? '';
      const refused = { outcome: 'refused', code: 'not_sending' };
      expect(await outbox.markDelivered(id, tried(11))).toEqual(refused);
      expect(await outbox.markRetry(id, { ...tried(11), dueMs: 12 })).toEqual(refused);
      expect(await outbox.markDead('nobody', tried(11))).toEqual(refused);
      expect(await outbox.markSuppressed(about(id), held(11))).toEqual(refused);
      expect(await outbox.release(id, { dueMs: 12, atMs: 11 })).toEqual(refused);
      expect(await ledger.attempts(id)).toEqual([]);
      expect(await ledger.get('p', id)).toMatchObject({ status: 'pending', attempts: 0, dueMs: 10 });
    });

    it('that was released untried counts as none', async () => {
      const outbox = new Outbox(state());
      const id = (await fire(10)).deliveryIds[0] ?? '';
      await outbox.claimDue(10, 1);
      expect(await outbox.release(id, { dueMs: 70, atMs: 11 })).toEqual({ outcome: 'marked' });
      expect(await outbox.claimDue(69, 1)).toEqual([]);
      expect(only(await outbox.claimDue(70, 1))).toMatchObject({ id, attempts: 0 });
    });
  });

  describe('a restart', () => {
    it('makes pending again what was being sent, with the same event', async () => {
      const { events } = await fire(10);
      await fire(20, 'other');
      await new Outbox(state()).claimDue(10, 1);
      const outbox = new Outbox(await another());
      expect(await outbox.releaseSending(15)).toBe(1);
      expect(await outbox.releaseSending(15)).toBe(0);
      expect(only(await outbox.claimDue(15, 10))).toMatchObject({ eventId: events[0]?.eventId, attempts: 0 });
    });
  });

  describe('a suppressed delivery', () => {
    const suppress = async (modelId: string, channelIds = ['c1']) => {
      const outbox = new Outbox(state());
      await fire(10, modelId, channelIds);
      for (const delivery of await outbox.claimDue(10, 10)) await outbox.markSuppressed(delivery, held(11));
      const { alert } = only(
        (await new Alerts(state()).loadFiring()).filter((a) => a.modelId === modelId).map((alert) => ({ alert })),
      );
      await new Alerts(state()).commitTransition({ ...aResolution(alert, 12), events: [] });
    };
    const claimNext = async (modelId: string, atMs: number): Promise<Delivery> => {
      await fire(atMs, modelId);
      return only(await new Outbox(state()).claimDue(atMs, 10));
    };

    it('is counted in the next message to its channel about its model, once', async () => {
      const outbox = new Outbox(state());
      await suppress('m', ['c1', 'c2']);
      await suppress('m');
      await suppress('other');
      const next = await claimNext('m', 20);
      expect(await outbox.suppressedSince(next)).toBe(2);
      await outbox.markDelivered(next.id, tried(21));
      await new Alerts(state()).commitTransition(aResolution(only(await new Alerts(state()).loadFiring()), 22));
      const resolved = only(await outbox.claimDue(22, 10));
      expect(await outbox.suppressedSince(resolved)).toBe(0);
    });

    it('is counted again by the same delivery after a retry, with what was held back meanwhile', async () => {
      const outbox = new Outbox(state());
      await suppress('m');
      const next = await claimNext('m', 20);
      expect(await outbox.suppressedSince(next)).toBe(1);
      await outbox.markRetry(next.id, { ...tried(21, 'HTTP 503'), dueMs: 30 });
      expect(await outbox.suppressedSince(next)).toBe(1);
    });

    it('is not lost with a summary that died: the next message counts it', async () => {
      const outbox = new Outbox(state());
      await suppress('m');
      const first = await claimNext('m', 20);
      expect(await outbox.suppressedSince(first)).toBe(1);
      const alert = only(await new Alerts(state()).loadFiring());
      await new Alerts(state()).commitTransition(aResolution(alert, 25));
      await outbox.markDead(first.id, tried(30, 'HTTP 404'));
      const second = only(await outbox.claimDue(30, 10));
      expect(await outbox.suppressedSince(second)).toBe(1);
      await outbox.markDelivered(second.id, tried(31));
      expect(await outbox.suppressedSince(second)).toBe(0);
    });

    it('belongs to one of two summaries that are being sent', async () => {
      const outbox = new Outbox(state());
      await suppress('m');
      const first = await claimNext('m', 20);
      committed(await new Alerts(state()).commitTransition(aFiring(20, { key: { rule: 'gpu_memory' } })));
      const second = only(await outbox.claimDue(20, 10));
      expect(await outbox.suppressedSince(first)).toBe(1);
      expect(await outbox.suppressedSince(second)).toBe(0);
    });
  });

  describe('the ledger', () => {
    it('replays a dead delivery with a fresh schedule and the same event', async () => {
      const [outbox, ledger] = [new Outbox(state()), new Deliveries(state())];
      const { deliveryIds, events } = await fire(10);
      const id = deliveryIds[0] ?? '';
      expect(await ledger.replay('p', id, 20)).toEqual({ outcome: 'refused', code: 'not_dead' });
      expect(await ledger.replay('p', 'nobody', 20)).toEqual({ outcome: 'refused', code: 'not_found' });
      await outbox.claimDue(10, 1);
      await outbox.markDead(id, tried(11, 'HTTP 400'));
      expect(await ledger.replay('q', id, 20)).toEqual({ outcome: 'refused', code: 'not_found' });
      expect(await ledger.countByStatus()).toEqual({ pending: 0, sending: 0, dead: 1 });
      expect(await ledger.replay('p', id, 20)).toMatchObject({
        outcome: 'replayed',
        delivery: { status: 'pending', attempts: 0, dueMs: 20, scheduledMs: 20, eventId: events[0]?.eventId },
      });
      await outbox.claimDue(20, 1);
      await outbox.markDelivered(id, tried(21));
      expect((await ledger.attempts(id)).map(({ number, outcome }) => [number, outcome])).toEqual([
        [1, 'dead'],
        [2, 'delivered'],
      ]);
    });

    it('knows whether a channel was told that an alert fires', async () => {
      const outbox = new Outbox(state());
      const { alert, deliveryIds } = await fire(10);
      await outbox.claimDue(10, 1);
      expect(await outbox.firingWasDelivered(alert.id, 'c1')).toBe(false);
      await outbox.markDelivered(deliveryIds[0] ?? '', tried(11));
      expect(await outbox.firingWasDelivered(alert.id, 'c1')).toBe(true);
      expect(await outbox.firingWasDelivered(alert.id, 'c2')).toBe(false);
    });

    it('moves due times with a wall clock that was set back', async () => {
      const outbox = new Outbox(state());
      await fire(3_600_000);
      await outbox.shiftDue(-3_600_000);
      expect(only(await outbox.claimDue(0, 1))).toMatchObject({ dueMs: 0, scheduledMs: 0 });
    });

    it('lists newest first, by status and alert, page by page', async () => {
      const ledger = new Deliveries(state());
      const first = await fire(10, 'a', ['c1', 'c2', 'c3']);
      await fire(20, 'b', ['c1', 'c2']);
      await new Outbox(state()).claimDue(10, 1);
      const all = await ledger.list({ project: 'p', limit: 100 });
      expect(all.map((delivery) => delivery.createdMs)).toEqual([20, 20, 10, 10, 10]);
      const pages: Delivery[] = [];
      for (let page = await ledger.list({ project: 'p', limit: 2 }); page.length > 0;) {
        pages.push(...page);
        page = await ledger.list({ project: 'p', limit: 2, before: pages.at(-1) });
      }
      expect(pages).toEqual(all);
      expect(await ledger.list({ project: 'p', status: 'sending', limit: 9 })).toHaveLength(1);
      expect(await ledger.list({ project: 'p', alertId: first.alert.id, limit: 9 })).toHaveLength(3);
      expect(await ledger.list({ project: 'q', limit: 9 })).toEqual([]);
    });
  });

  it('loses no notification and sends one alert to one channel in order, whatever happens', async () => {
    const handles = [new Outbox(state()), new Outbox(await another())];
    const act = fc.constantFrom(
      'fire',
      'escalate',
      'resolve',
      'claim',
      'deliver',
      'retry',
      'die',
      'suppress',
      'release',
      'crash',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        await clear();
        const [alerts, ledger] = [new Alerts(state()), new Deliveries(state())];
        let clock = 1;
        let made = 0;
        const sending: Delivery[] = [];
        const sent: Delivery[] = [];
        for (const what of acts) {
          clock++;
          const [firing] = await alerts.loadFiring();
          const one = sending.at(-1);
          if (what === 'fire' && !firing) made += (await fire(clock)).deliveryIds.length;
          if (what === 'escalate' && firing?.severity === 'low')
            made += committed(await alerts.commitTransition(anEscalation(firing, clock))).deliveryIds.length;
          if (what === 'resolve' && firing)
            made += committed(await alerts.commitTransition(aResolution(firing, clock))).deliveryIds.length;
          if (what === 'claim') {
            const claims = await Promise.all(handles.map((outbox) => outbox.claimDue(clock, 3)));
            sending.push(...claims.flat());
          }
          if (what === 'release') await Promise.all(handles.map((outbox) => outbox.releaseDue(clock, 3)));
          if (what === 'crash') {
            await handles[0]?.releaseSending(clock);
            sending.length = 0;
          }
          if (!one) continue;
          if (what === 'deliver') sent.push(one);
          if (what === 'deliver') await handles[0]?.markDelivered(one.id, tried(clock));
          if (what === 'retry') await handles[1]?.markRetry(one.id, { ...tried(clock), dueMs: clock + 2 });
          if (what === 'die') await handles[0]?.markDead(one.id, tried(clock));
          if (what === 'suppress') await handles[1]?.markSuppressed(one, held(clock, clock + 3));
          if (['deliver', 'retry', 'die', 'suppress'].includes(what)) sending.pop();
        }
        const all = await ledger.list({ project: 'p', limit: 1000 });
        expect(all).toHaveLength(made);
        expect(
          all
            .filter(({ status }) => status === 'sending')
            .map(({ id }) => id)
            .toSorted(),
        ).toEqual(sending.map(({ id }) => id).toSorted());
        expect(all.filter(({ status }) => status === 'delivered')).toHaveLength(new Set(sent.map(({ id }) => id)).size);
        for (const { alertId } of all) {
          const order = sent.filter((delivery) => delivery.alertId === alertId).map(({ sequence }) => sequence);
          expect(order).toEqual(order.toSorted((a, b) => a - b));
          expect(all.filter((d) => d.alertId === alertId && d.status === 'sending').length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 40 },
    );
  });

  async function clear(): Promise<void> {
    for (const table of ['delivery_attempts', 'deliveries', 'alert_events', 'alerts'] as const)
      await state().db.deleteFrom(table).execute();
  }
}
