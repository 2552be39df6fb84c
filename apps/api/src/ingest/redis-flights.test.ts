import { canRun } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useRedis } from '../rig/use-redis.js';
import { waitFor } from '../rig/wait-for.js';
import type { IdempotencyRecord } from '../store/point-store.js';
import { type Answer, Idempotency } from './idempotency.js';
import { RedisFlights, type RedisFlightsOptions } from './redis-flights.js';

const request = { project: 'p', key: 'k', fingerprint: 'f' };
const answer: Answer = { status: 201, body: '{"accepted":1,"rejected":[]}' };

describe.skipIf(!canRun('redis-server'))('Idempotency over instances', () => {
  const redis = useRedis();
  let prefixes = 0;

  /** Instances over one store of records and one Redis. */
  function bench(changes: Partial<RedisFlightsOptions> = {}, patienceMs = 5000) {
    const prefix = `t${(prefixes += 1)}:`;
    const records = new Map<string, IdempotencyRecord>();
    const done: string[] = [];
    let reads = 0;
    let release = (): void => undefined;
    let isHeld = false;
    const instance = () =>
      new Idempotency({
        find: async (project, key) => {
          reads += 1;
          return records.get(`${project} ${key}`) ?? null;
        },
        wallMs: Date.now,
        shared: new RedisFlights({ link: redis.link, prefix, ...changes }),
        patienceMs,
      });
    const send = (by: Idempotency, given = request, fault?: string) =>
      by.once(given, {
        work: async () => {
          if (isHeld) await new Promise<void>((resolve) => (release = resolve));
          if (fault) throw new Error(fault);
          done.push('work');
          records.set(`${given.project} ${given.key}`, { ...given, ...answer, createdMs: Date.now() });
          return answer;
        },
        redo: async () => void done.push('redo'),
      });
    return {
      ...{ instance, send, done, records, prefix },
      reads: () => reads,
      hold: () => void (isHeld = true),
      release: () => {
        isHeld = false;
        release();
      },
    };
  }

  it('does the work of a hundred requests at two instances one time, and gives all the same answer', async () => {
    const { instance, send, done } = bench();
    const both = [instance(), instance()] as const;
    const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => send(both[i % 2 === 0 ? 0 : 1])));
    expect(done).toEqual(['work']);
    expect(outcomes.every((outcome) => outcome.kind === 'answered' && outcome.answer.body === answer.body)).toBe(true);
    expect(outcomes.filter((outcome) => outcome.kind === 'answered' && !outcome.replayed)).toHaveLength(1);
  });

  it('replays from another instance without asking the store, until Redis forgets; then from the store', async () => {
    const { instance, send, done, reads, prefix } = bench();
    await send(instance());
    expect(await send(instance())).toEqual({ kind: 'answered', answer, replayed: true });
    expect(reads()).toBe(1);
    await redis.link.client.del(`${prefix}1:pk`);
    expect(await send(instance())).toEqual({ kind: 'answered', answer, replayed: true });
    expect(done).toEqual(['work', 'redo']);
    expect(reads()).toBe(2);
  });

  it('says that a request is under way when another instance does not finish it in time', async () => {
    const { instance, send, hold, release, done } = bench({}, 0);
    hold();
    const first = send(instance());
    await waitFor('the claim', async () => (await send(instance())).kind === 'in_flight');
    expect(await send(instance(), { ...request, fingerprint: 'g' })).toEqual({ kind: 'mismatch' });
    release();
    expect(await first).toMatchObject({ kind: 'answered', replayed: false });
    expect(await send(instance(), { ...request, fingerprint: 'g' })).toEqual({ kind: 'mismatch' });
    expect(done).toEqual(['work']);
  });

  it('lets another instance try when one failed', async () => {
    const { instance, send, done } = bench();
    await expect(send(instance(), request, 'full')).rejects.toThrow('full');
    expect(await send(instance())).toMatchObject({ kind: 'answered', replayed: false });
    expect(done).toEqual(['work']);
  });

  it('takes over from an instance that died, whose late end changes nothing', async () => {
    const flights = new RedisFlights({ link: redis.link, prefix: 'dead:', claimMs: 50 });
    const dead = await flights.take('id', 'f');
    let next = await flights.take('id', 'f');
    await waitFor('the end of the claim', async () => {
      next = await new RedisFlights({ link: redis.link, prefix: 'dead:' }).take('id', 'f');
      return next.kind === 'taken';
    });
    if (dead.kind !== 'taken' || next.kind !== 'taken') throw new Error('not taken');
    await dead.land(answer);
    expect(await flights.take('id', 'f')).toEqual({ kind: 'busy', fingerprint: 'f' });
    await next.land(answer);
    expect(await flights.take('id', 'f')).toEqual({ kind: 'landed', fingerprint: 'f', answer });
  });

  it('keeps no answer in Redis that is long, or of a request that stored nothing', async () => {
    const { instance, prefix } = bench();
    const long = { status: 207, body: 'x'.repeat(5000) };
    for (const [key, given] of Object.entries({ long, nothing: { status: 422, body: '{}' } })) {
      await instance().once({ ...request, key }, { work: async () => given, redo: async () => undefined });
    }
    expect(await redis.link.client.keys(`${prefix}*`)).toEqual([]);
  });

  it('goes by the store alone while Redis hangs or is away', async () => {
    const { instance, send, done } = bench();
    redis.server.pause();
    onTestFinished(() => redis.server.resume());
    expect(await send(instance())).toMatchObject({ kind: 'answered', replayed: false });
    expect(redis.link.isUp).toBe(false);
    expect(await send(instance())).toMatchObject({ kind: 'answered', replayed: true });
    expect(done).toEqual(['work', 'redo']);
    redis.server.resume();
    expect(await redis.link.whenUp(20_000)).toBe(true);
  });
});
