import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';
import { type Claim, type ClaimOutcome, Claims } from './claims.js';
import { Deliveries } from './deliveries.js';
import { aFiring, anEscalation, committed, type MakeEngine } from './engine.contract.js';
import { Outbox } from './outbox.js';
import { tried, useLedger } from './rig/ledger.js';

const LEASE_MS = 45_000;
const by = (holder: string, nowMs: number) => ({ holder, nowMs, leaseMs: LEASE_MS });

/** describePort states what holds for claims by id on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another, fire } = useLedger(makeEngine);
  const idOf = ({ deliveryIds }: { deliveryIds: readonly string[] }) => deliveryIds[0] ?? '';
  const claimOf = (outcome: ClaimOutcome): Claim => {
    expect(outcome.outcome).toBe('claimed');
    if (outcome.outcome !== 'claimed') throw new Error('unreachable');
    return outcome.claim;
  };

  describe('a claim by id', () => {
    it('takes what is due, and says why it takes nothing', async () => {
      const [claims, outbox] = [new Claims(state()), new Outbox(state())];
      const id = idOf(await fire(10));
      const refused = (code: string) => ({ outcome: 'refused', code });
      expect(await claims.claim('nobody', by('w1', 10))).toEqual(refused('not_found'));
      expect(await claims.claim(id, by('w1', 9))).toEqual(refused('not_due'));
      expect(await claims.claim(id, by('w1', 10))).toMatchObject({
        outcome: 'claimed',
        delivery: { id, status: 'sending', attempts: 0 },
        claim: { id, token: 1 },
      });
      expect(await claims.claim(id, by('w2', 10))).toEqual(refused('held'));
      await outbox.markDelivered(id, tried(11));
      expect(await claims.claim(id, by('w2', 12))).toEqual(refused('ended'));
    });

    it('waits for an earlier open delivery of the same alert and channel', async () => {
      const [claims, outbox] = [new Claims(state()), new Outbox(state())];
      const fired = await fire(10);
      const escalated = committed(await new Alerts(state()).commitTransition(anEscalation(fired.alert, 20)));
      const blocked = { outcome: 'refused', code: 'blocked' };
      expect(await claims.claim(idOf(escalated), by('w1', 20))).toEqual(blocked);
      const claim = claimOf(await claims.claim(idOf(fired), by('w1', 20)));
      expect(await claims.claim(idOf(escalated), by('w1', 20))).toEqual(blocked);
      await outbox.markDelivered(claim.id, tried(21), claim);
      claimOf(await claims.claim(idOf(escalated), by('w1', 22)));
    });

    it('does not wait for a time that a clock said which was set back since', async () => {
      const [claims, outbox] = [new Claims(state()), new Outbox(state())];
      const hour = 3_600_000;
      const id = idOf(await fire(hour));
      const first = claimOf(await claims.claim(id, by('w1', hour)));
      await outbox.markRetry(id, { ...tried(hour), dueMs: hour + 10_000 }, first);
      const due = async (nowMs: number) => (await claims.dueForRelay(nowMs, { limit: 5, horizonMs: 1 })).length;
      // The clocks of two machines may differ by so much.
      expect(await due(hour - 60_000)).toBe(0);
      expect(await claims.claim(id, by('w2', hour - 60_000))).toEqual({ outcome: 'refused', code: 'not_due' });
      expect(await due(hour - 60_001)).toBe(1);
      claimOf(await claims.claim(id, by('w2', hour - 60_001)));
    });

    it('is given to one of many workers', async () => {
      const id = idOf(await fire(10));
      const handles = [new Claims(state()), new Claims(await another())];
      const tries = handles.flatMap((claims, i) =>
        Array.from({ length: 8 }, (_, k) => claims.claim(id, by(`w${i}-${k}`, 10))),
      );
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
      for (const outcome of outcomes) if (outcome.outcome === 'refused') expect(outcome.code).toBe('held');
    });
  });

  describe('a claim that ran out', () => {
    it('may be taken by another worker, and then only that one is heard', async () => {
      const [claims, outbox, ledger] = [new Claims(state()), new Outbox(state()), new Deliveries(state())];
      const id = idOf(await fire(10));
      const first = claimOf(await claims.claim(id, by('w1', 10)));
      expect(await claims.claim(id, by('w2', 10 + LEASE_MS - 1))).toEqual({ outcome: 'refused', code: 'held' });
      const second = claimOf(await claims.claim(id, by('w2', 10 + LEASE_MS)));
      expect(second.token).toBeGreaterThan(first.token);
      const lost = { outcome: 'refused', code: 'claim_lost' };
      expect(await outbox.markDelivered(id, tried(1), first)).toEqual(lost);
      expect(await outbox.markRetry(id, { ...tried(1), dueMs: 2 }, first)).toEqual(lost);
      expect(await outbox.markDead(id, tried(1), first)).toEqual(lost);
      const subject = { id, project: 'p', channelId: 'c1', modelId: 'm' };
      const held = { reason: 'limit', atMs: 1, releaseMs: 2, byChannel: false };
      expect(await outbox.markSuppressed(subject, held, first)).toEqual(lost);
      expect(await outbox.release(id, { dueMs: 1, atMs: 1 }, first)).toEqual(lost);
      expect(await ledger.attempts(id)).toEqual([]);
      expect(await outbox.markDelivered(id, tried(60_000), second)).toEqual({ outcome: 'marked' });
      expect(await outbox.markDelivered(id, tried(60_001), first)).toEqual(lost);
      expect(await outbox.markDelivered(id, tried(60_001), second)).toEqual({
        outcome: 'refused',
        code: 'not_sending',
      });
      expect(await ledger.get('p', id)).toMatchObject({ status: 'delivered', attempts: 1 });
    });

    it('still counts as long as nobody else claimed', async () => {
      const id = idOf(await fire(10));
      const claim = claimOf(await new Claims(state()).claim(id, by('w1', 10)));
      const late = await new Outbox(state()).markDelivered(id, tried(10 + 2 * LEASE_MS), claim);
      expect(late).toEqual({ outcome: 'marked' });
    });

    it('is no claim of the embedded queue, which holds until it releases', async () => {
      const [claims, outbox] = [new Claims(state()), new Outbox(state())];
      const id = idOf(await fire(10));
      const old = claimOf(await claims.claim(id, by('w1', 10)));
      await outbox.release(id, { dueMs: 20, atMs: 11 }, old);
      expect(await outbox.claimDue(20, 1)).toHaveLength(1);
      expect(await claims.claim(id, by('w2', 10 * LEASE_MS))).toEqual({ outcome: 'refused', code: 'held' });
      expect(await claims.dueForRelay(10 * LEASE_MS, { limit: 9, horizonMs: 0 })).toEqual([]);
      expect(await outbox.markDelivered(id, tried(30), old)).toEqual({ outcome: 'refused', code: 'claim_lost' });
    });
  });

  describe('what a relay is told of', () => {
    it('is what may be claimed within the horizon, and what was abandoned, earliest first', async () => {
      const [claims, outbox] = [new Claims(state()), new Outbox(state())];
      const relay = async (nowMs: number, options: { limit?: number; horizonMs?: number } = {}) =>
        (await claims.dueForRelay(nowMs, { limit: 10, horizonMs: 1, ...options })).map(({ id }) => id);
      const fired = await fire(10, 'a');
      const [a, b, c] = [idOf(fired), idOf(await fire(20, 'b')), idOf(await fire(5_000, 'c'))];
      const after = committed(await new Alerts(state()).commitTransition(anEscalation(fired.alert, 15)));
      expect(await claims.dueForRelay(20, { limit: 1, horizonMs: 1 })).toEqual([{ id: a, project: 'p', dueMs: 10 }]);
      expect(await relay(20)).toEqual([a, b]);
      expect(await relay(20, { horizonMs: 5_000 })).toEqual([a, b, c]);
      const claim = claimOf(await claims.claim(a, by('w1', 20)));
      expect(await relay(21)).toEqual([b]);
      await outbox.markDelivered(b, tried(22)); // refused: nobody claimed it
      expect(await relay(20 + LEASE_MS)).toEqual([a, b, c]);
      await outbox.markDead(a, tried(23), claim);
      expect(await relay(24)).toEqual([idOf(after), b]);
    });
  });

  describe('a channel that is owed more than a round takes', () => {
    it('leaves room for what other channels and projects are owed', async () => {
      const claims = new Claims(state());
      const to = async (channelId: string, atMs: number, project = 'p') =>
        idOf(
          committed(
            await new Alerts(state()).commitTransition(
              aFiring(atMs, { key: { project, modelId: `m${atMs}` }, channelIds: [channelId] }),
            ),
          ),
        );
      const hung: string[] = [];
      for (let atMs = 10; atMs < 16; atMs += 1) hung.push(await to('hung', atMs));
      const [other, elsewhere] = [await to('other', 20), await to('hung', 21, 'q')];
      const relay = async (limit: number, perChannel: number) =>
        (await claims.dueForRelay(30, { limit, perChannel, horizonMs: 1 })).map(({ id }) => id);
      expect(await relay(3, 9)).toEqual([hung[0], other, elsewhere]);
      expect(await relay(4, 9)).toEqual([hung[0], hung[1], other, elsewhere]);
      expect(await relay(9, 2)).toEqual([hung[0], hung[1], other, elsewhere]);
      for (const id of hung) await claims.claim(id, by('w1', 30));
      const late = 30 + LEASE_MS;
      const abandoned = await claims.dueForRelay(late, { limit: 4, perChannel: 9, horizonMs: 1 });
      expect(abandoned.map(({ id }) => id)).toEqual([hung[0], hung[1], other, elsewhere]);
    });
  });

  it('never lets two tokens mark one try, whatever the workers do', async () => {
    const handles = [new Claims(state()), new Claims(await another())];
    const outbox = new Outbox(state());
    const act = fc.record({
      what: fc.constantFrom('claim', 'claim', 'deliver', 'retry', 'wait'),
      worker: fc.nat({ max: 3 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 25 }), async (acts) => {
        let nowMs = 10;
        const id = idOf(await fire(nowMs, `model${run++}`));
        const holding = new Map<number, Claim>();
        let current = 0;
        let ended = false;
        for (const { what, worker } of acts) {
          nowMs += what === 'wait' ? LEASE_MS : 1;
          const claim = holding.get(worker);
          if (what === 'claim') {
            const outcome = await handles[worker % 2]?.claim(id, by(`w${worker}`, nowMs));
            if (outcome?.outcome !== 'claimed') continue;
            expect(ended).toBe(false);
            expect(outcome.claim.token).toBe(++current);
            holding.set(worker, outcome.claim);
          }
          if (!claim || (what !== 'deliver' && what !== 'retry')) continue;
          const done =
            what === 'deliver'
              ? await outbox.markDelivered(id, tried(nowMs), claim)
              : await outbox.markRetry(id, { ...tried(nowMs), dueMs: nowMs }, claim);
          expect(done.outcome === 'marked').toBe(claim.token === current && !ended && holding.delete(worker));
          if (done.outcome === 'marked') ended = what === 'deliver';
        }
      }),
      { numRuns: 25 },
    );
  });
}
