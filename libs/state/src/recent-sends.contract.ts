import { describe, expect, it } from 'vitest';
import type { MakeEngine } from './engine.contract.js';
import { Outbox } from './outbox.js';
import { held, tried, useLedger } from './rig/ledger.js';

/** describePort states what a limiter can know after a restart of what was sent before, on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another, fire } = useLedger(makeEngine);
  const about = { project: 'p', channelId: 'c1', alertType: 'latency', severity: 'low', eventKind: 'fired' };
  /** Makes a delivery and claims it. */
  const claimed = async (modelId: string): Promise<string> => {
    const id = (await fire(10, modelId)).deliveryIds[0] ?? '';
    await new Outbox(state()).claimDue(10, 1);
    return id;
  };

  describe('what was sent lately', () => {
    it('is what went out, oldest first', async () => {
      const outbox = new Outbox(state());
      const ids: string[] = [];
      for (const [index, modelId] of ['a', 'b', 'c'].entries()) {
        const id = await claimed(modelId);
        await outbox.markDelivered(id, tried(100 * (index + 1)));
        ids.push(id);
      }
      expect(await outbox.recentSends(200, 400)).toEqual([
        { ...about, id: ids[1], modelId: 'b', how: 'ended', atMs: 200 },
        { ...about, id: ids[2], modelId: 'c', how: 'ended', atMs: 300 },
      ]);
    });

    it('is also what was tried and failed, as of its last try, and nothing that never was', async () => {
      const outbox = new Outbox(state());
      const retried = await claimed('retried');
      await outbox.markRetry(retried, { ...tried(100, 'HTTP 503'), dueMs: 150 });
      await outbox.claimDue(150, 1);
      await outbox.markRetry(retried, { ...tried(250, 'HTTP 503'), dueMs: 900 });
      const dead = await claimed('dead');
      await outbox.markDead(dead, tried(220, 'HTTP 404'));
      const untried = await claimed('untried');
      await outbox.release(untried, { dueMs: 900, atMs: 300 });
      const before = await claimed('before');
      await outbox.markDead(before, tried(199, 'HTTP 404'));
      await outbox.markSuppressed(
        { id: await claimed('held'), project: 'p', channelId: 'c1', modelId: 'held' },
        held(300),
      );
      await fire(300, 'new');
      expect(await outbox.recentSends(200, 400)).toEqual([
        { ...about, id: dead, modelId: 'dead', how: 'ended', atMs: 220 },
        { ...about, id: retried, modelId: 'retried', how: 'ended', atMs: 250 },
      ]);
    });

    it('may be what is being sent when nobody works, however long ago it was claimed', async () => {
      const outbox = new Outbox(state());
      const id = await claimed('a');
      await outbox.markRetry(id, { ...tried(300, 'HTTP 503'), dueMs: 310 });
      await outbox.claimDue(310, 1);
      const next = new Outbox(await another());
      const cut = { ...about, id, modelId: 'a', how: 'cut_short' };
      expect(await next.recentSends(200, 400)).toEqual([{ ...cut, atMs: 400 }]);
      expect(await next.recentSends(9000, 9000)).toEqual([{ ...cut, atMs: 9000 }]);
    });

    it('is remembered to have been cut short, whatever becomes of it', async () => {
      const outbox = new Outbox(state());
      const [id, other] = [await claimed('a'), await claimed('b')];
      await outbox.releaseSending(400);
      await outbox.claimDue(400, 9);
      await outbox.markSuppressed({ id: other, project: 'p', channelId: 'c1', modelId: 'b' }, held(410));
      const known = async (sinceMs: number) =>
        (await outbox.recentSends(sinceMs, 450))
          .map(({ modelId, how, atMs }) => `${modelId} ${how} ${atMs}`)
          .toSorted();
      expect(await known(200)).toEqual(['a cut_short 400', 'a cut_short 450', 'b cut_short 400']);
      await outbox.markDelivered(id, tried(420));
      expect(await known(200)).toEqual(['a cut_short 400', 'a ended 420', 'b cut_short 400']);
      expect(await known(401)).toEqual(['a ended 420']);
    });
  });
}
