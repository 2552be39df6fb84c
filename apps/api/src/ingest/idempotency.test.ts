import { describe, expect, it } from 'vitest';
import { type IdempotencyRecord, RECORD_LIFE_MS } from '../store/point-store.js';
import { type Answer, Idempotency } from './idempotency.js';

const request = { project: 'p', key: 'k', fingerprint: 'f' };
const answer: Answer = { status: 201, body: '{"accepted":1,"rejected":[]}' };

/** A client's requests against a store that keeps records, and a clock; `restart` forgets what a process knows. */
class Bench {
  readonly records = new Map<string, IdempotencyRecord>();
  readonly done: string[] = [];
  nowMs = 1_700_000_000_000;
  idempotency = this.start();

  restart(): void {
    this.idempotency = this.start();
  }

  send(given = request, fault?: 'before storing' | 'after storing') {
    return this.idempotency.once(given, {
      work: async () => {
        await new Promise(setImmediate);
        if (fault === 'before storing') throw new Error('full');
        this.done.push('work');
        this.records.set(`${given.project} ${given.key}`, { ...given, ...answer, createdMs: this.nowMs });
        if (fault === 'after storing') throw new Error('unraised');
        return answer;
      },
      redo: async () => {
        if (fault) throw new Error('unraised again');
        this.done.push('redo');
      },
    });
  }

  private start(): Idempotency {
    return new Idempotency({
      find: async (project, key) => this.records.get(`${project} ${key}`) ?? null,
      wallMs: () => this.nowMs,
    });
  }
}

describe('Idempotency', () => {
  it('does the work of a hundred requests at once one time, and gives all the same answer', async () => {
    const bench = new Bench();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => bench.send()));
    expect(bench.done).toEqual(['work']);
    expect(outcomes.every((outcome) => outcome.kind === 'answered' && outcome.answer.body === answer.body)).toBe(true);
    expect(outcomes.filter((outcome) => outcome.kind === 'answered' && !outcome.replayed)).toHaveLength(1);
  });

  it('gives a later request the answer that was kept, as a replay', async () => {
    const bench = new Bench();
    expect(await bench.send()).toEqual({ kind: 'answered', answer, replayed: false });
    expect(await bench.send()).toEqual({ kind: 'answered', answer, replayed: true });
    expect(bench.done).toEqual(['work']);
  });

  it('tells of a key that came with another body, while the first is under way and after', async () => {
    const bench = new Bench();
    const first = bench.send();
    expect(await bench.send({ ...request, fingerprint: 'g' })).toEqual({ kind: 'mismatch' });
    await first;
    expect(await bench.send({ ...request, fingerprint: 'g' })).toEqual({ kind: 'mismatch' });
    bench.restart();
    expect(await bench.send({ ...request, fingerprint: 'g' })).toEqual({ kind: 'mismatch' });
    expect(bench.done).toEqual(['work']);
  });

  it('keeps the keys of projects apart, whatever their names', async () => {
    const bench = new Bench();
    const pairs = [
      ['p', 'k'],
      ['pk', ''],
      ['', 'pk'],
      ['1:p', 'k'],
    ] as const;
    for (const [project, key] of pairs) await bench.send({ project, key, fingerprint: project });
    expect(bench.done).toHaveLength(pairs.length);
  });

  it('tells every waiting request of a failure and keeps none', async () => {
    const bench = new Bench();
    const failed = await Promise.allSettled([bench.send(request, 'before storing'), bench.send(), bench.send()]);
    expect(failed.map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    expect(await bench.send()).toMatchObject({ kind: 'answered', replayed: false });
    expect(bench.done).toEqual(['work']);
  });

  it('raises the alerts again when an earlier life of the process answered, and only once', async () => {
    const bench = new Bench();
    await bench.send();
    bench.restart();
    expect(await bench.send()).toEqual({ kind: 'answered', answer, replayed: true });
    await bench.send();
    expect(bench.done).toEqual(['work', 'redo']);
  });

  it('does not raise the alerts of long ago again', async () => {
    const bench = new Bench();
    await bench.send();
    bench.restart();
    bench.nowMs += 3_600_000;
    expect(await bench.send()).toMatchObject({ replayed: true });
    expect(bench.done).toEqual(['work']);
  });

  it('raises the alerts of a request whose points were stored and whose alerts were not', async () => {
    const bench = new Bench();
    await expect(bench.send(request, 'after storing')).rejects.toThrow('unraised');
    await expect(bench.send(request, 'after storing')).rejects.toThrow('unraised again');
    expect(await bench.send()).toMatchObject({ replayed: true });
    expect(bench.done).toEqual(['work', 'redo']);
  });

  it('does so also when the key was used up before by a request of which nothing was kept', async () => {
    const bench = new Bench();
    await bench.idempotency.once(request, {
      work: async () => ({ status: 422, body: '{}' }),
      redo: async () => undefined,
    });
    await expect(bench.send(request, 'after storing')).rejects.toThrow('unraised');
    expect(await bench.send()).toMatchObject({ replayed: true });
    expect(bench.done).toEqual(['work', 'redo']);
  });

  it('forgets an answer after a day', async () => {
    const bench = new Bench();
    await bench.send();
    bench.nowMs += RECORD_LIFE_MS - 1;
    expect(await bench.send()).toMatchObject({ replayed: true });
    bench.nowMs += 1;
    expect(await bench.send({ ...request, fingerprint: 'g' })).toMatchObject({ kind: 'answered', replayed: false });
    expect(bench.done).toEqual(['work', 'work']);
  });

  it('lets a failure of the store through and looks again the next time', async () => {
    let isAway = true;
    const idempotency = new Idempotency({
      find: async () => {
        if (isAway) throw new Error('away');
        return null;
      },
      wallMs: () => 0,
    });
    const job = { work: async () => answer, redo: async () => undefined };
    await expect(idempotency.once(request, job)).rejects.toThrow('away');
    isAway = false;
    expect(await idempotency.once(request, job)).toMatchObject({ kind: 'answered' });
  });
});
