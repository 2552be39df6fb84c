import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aDrift, aPoint } from '../rig/points.js';
import { waitFor } from '../rig/wait-for.js';
import type { IdempotencyRecord, WriteBatch } from '../store/point-store.js';
import { type AppendOutcome, BatchWriter, type BatchWriterOptions, type Entry, ONE_WRITE } from './batch-writer.js';

interface UnderWay {
  readonly batch: WriteBatch;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A disk that a test drives: every write waits until it is told to succeed or to fail. */
class Disk {
  readonly batches: WriteBatch[] = [];
  readonly observed: number[] = [];
  private readonly underWay: UnderWay[] = [];

  constructor(private readonly most = 1) {}

  writer(options: Partial<BatchWriterOptions> = {}): BatchWriter {
    return new BatchWriter({
      write: (batch) => this.write(batch),
      maxBatchPoints: 10,
      concurrency: ONE_WRITE,
      maxQueuedPoints: 1000,
      steadyMs: () => 0,
      observe: (points) => this.observed.push(points),
      ...options,
    });
  }

  get isWriting(): boolean {
    return this.underWay.length > 0;
  }

  /** writes is how many are under way. */
  get writes(): number {
    return this.underWay.length;
  }

  /** finish ends the write that began first, or the one in the given place, and answers what it wrote. */
  async finish(error?: Error, place = 0): Promise<WriteBatch> {
    await waitFor('a write', () => this.underWay.length > place);
    const [write] = this.underWay.splice(place, 1);
    if (!write) throw new Error('there is no write');
    if (error) write.reject(error);
    else write.resolve();
    return write.batch;
  }

  private write(batch: WriteBatch): Promise<void> {
    this.batches.push(batch);
    expect(this.underWay.length, 'writes at a time').toBeLessThan(this.most);
    return new Promise((resolve, reject) => this.underWay.push({ batch, resolve, reject }));
  }
}

const entry = (points: number, first = 1): Entry => ({
  points: Array.from({ length: points }, (_, i) => aPoint({ seq: first + i })),
  drifts: [],
});
const seqsOf = (batch: WriteBatch) => batch.points.map((point) => point.seq);
const record: IdempotencyRecord = {
  project: 'default',
  key: 'k',
  fingerprint: 'f',
  status: 201,
  body: '{}',
  createdMs: 1,
};

describe('BatchWriter', () => {
  it('writes a lone entry without waiting for company', async () => {
    const disk = new Disk();
    const outcome = disk.writer().append(entry(1, 7));
    await disk.finish();
    expect(await outcome).toEqual({ kind: 'stored' });
    expect(disk.batches.map(seqsOf)).toEqual([[7]]);
    expect(disk.observed).toEqual([1]);
  });

  it('lets entries of one turn of the event loop share the first write', async () => {
    const disk = new Disk();
    const writer = disk.writer();
    const outcomes = [writer.append(entry(1, 1)), writer.append(entry(2, 2))];
    await disk.finish();
    expect(await Promise.all(outcomes)).toEqual([{ kind: 'stored' }, { kind: 'stored' }]);
    expect(disk.batches.map(seqsOf)).toEqual([[1, 2, 3]]);
  });

  it('gathers what arrives while a write runs into the next one, in order of arrival', async () => {
    const disk = new Disk();
    const writer = disk.writer();
    const first = writer.append(entry(1, 1));
    await waitFor('the first write', () => disk.isWriting);
    const crowd = [writer.append(entry(2, 2)), writer.append(entry(1, 4)), writer.append(entry(3, 5))];
    expect(writer.queuedPoints).toBe(6);
    await disk.finish();
    await first;
    await disk.finish();
    await Promise.all(crowd);
    expect(disk.batches.map(seqsOf)).toEqual([[1], [2, 3, 4, 5, 6, 7]]);
  });

  it('answers a caller only after the batch that holds its own points', async () => {
    const disk = new Disk();
    const writer = disk.writer();
    let isAnswered = false;
    const first = writer.append(entry(1));
    await waitFor('the first write', () => disk.isWriting);
    const second = writer.append(entry(1)).then(() => (isAnswered = true));
    await disk.finish();
    await first;
    await waitFor('the second write', () => disk.isWriting);
    expect(isAnswered).toBe(false);
    await disk.finish();
    await second;
    expect(isAnswered).toBe(true);
  });

  it('splits the queue between entries, never within one, at the bound of a batch', async () => {
    const disk = new Disk();
    const writer = disk.writer({ maxBatchPoints: 10 });
    const outcomes = [6, 4, 1, 25, 10].map((size) => writer.append(entry(size)));
    for (let i = 0; i < 4; i++) await disk.finish();
    await Promise.all(outcomes);
    expect(disk.batches.map((batch) => batch.points.length)).toEqual([10, 1, 25, 10]);
  });

  it('stores drifts and the records of answers in the batch of their points', async () => {
    const disk = new Disk();
    const writer = disk.writer();
    const outcomes = [
      writer.append({ points: [aPoint()], drifts: [], record }),
      writer.append({ points: [], drifts: [aDrift()] }),
    ];
    expect(writer.queuedPoints).toBe(3);
    await disk.finish();
    await Promise.all(outcomes);
    expect(disk.batches).toEqual([{ points: [aPoint()], drifts: [aDrift()], records: [record] }]);
  });

  it('refuses what finds the queue full, and takes entries again when there is room', async () => {
    const disk = new Disk();
    const writer = disk.writer({ maxQueuedPoints: 5 });
    const running = writer.append(entry(1));
    await waitFor('the write', () => disk.isWriting);
    const waiting = writer.append(entry(4));
    expect(await writer.append(entry(2))).toEqual({ kind: 'full', retryAfterS: 1 });
    const last = writer.append(entry(1));
    expect(writer.queuedPoints).toBe(5);
    await disk.finish();
    await disk.finish();
    expect(await Promise.all([running, waiting, last])).toEqual(Array(3).fill({ kind: 'stored' }));
    const after = writer.append(entry(5));
    await disk.finish();
    expect(await after).toEqual({ kind: 'stored' });
  });

  it('takes an entry larger than the whole queue when nobody waits, because repeating it would never help', async () => {
    const disk = new Disk();
    const writer = disk.writer({ maxQueuedPoints: 5 });
    const large = writer.append(entry(50));
    expect(await writer.append(entry(1))).toMatchObject({ kind: 'full' });
    await disk.finish();
    expect(await large).toEqual({ kind: 'stored' });
  });

  it('rejects every entry of a batch that failed, with the cause, and no other', async () => {
    const disk = new Disk();
    const writer = disk.writer();
    const first = [writer.append(entry(1, 1)), writer.append(entry(1, 2))];
    await waitFor('the write', () => disk.isWriting);
    const second = writer.append(entry(1, 3));
    const cause = new Error('no space left on device');
    await disk.finish(cause);
    expect(await Promise.all(first)).toEqual(Array(2).fill({ kind: 'failed', retryAfterS: 1, cause }));
    await disk.finish();
    expect(await second).toEqual({ kind: 'stored' });
    expect(disk.observed).toEqual([1]);
  });

  it('fails a batch whose write throws before it began, and goes on', async () => {
    let isBroken = true;
    const writer = new Disk().writer({
      write: () => {
        if (isBroken) throw new Error('the thread is gone');
        return Promise.resolve();
      },
    });
    expect(await writer.append(entry(1))).toMatchObject({ kind: 'failed' });
    isBroken = false;
    expect(await writer.append(entry(1))).toEqual({ kind: 'stored' });
  });

  it('closes when all it accepted is settled, and takes nothing more', async () => {
    const disk = new Disk();
    const writer = disk.writer({ maxBatchPoints: 1 });
    const accepted = [writer.append(entry(1, 1)), writer.append(entry(1, 2)), writer.append(entry(1, 3))];
    const closed = writer.close();
    expect(await writer.append(entry(1, 4))).toEqual({ kind: 'closed' });
    for (let i = 0; i < 3; i++) await disk.finish();
    await closed;
    expect(await Promise.all(accepted)).toEqual(Array(3).fill({ kind: 'stored' }));
    expect(disk.batches.map(seqsOf)).toEqual([[1], [2], [3]]);
    await writer.close();
  });

  it('begins a write beside another when enough points wait for it, and answers each when its own ends', async () => {
    const disk = new Disk(2);
    const writer = disk.writer({ concurrency: { writes: 2, leastPoints: 5 } });
    const first = writer.append(entry(1, 1));
    await waitFor('the first write', () => disk.batches.length === 1);
    const few = writer.append(entry(4, 2));
    await new Promise(setImmediate);
    expect([disk.batches.length, writer.queuedPoints]).toEqual([1, 4]);
    const enough = writer.append(entry(1, 6));
    await waitFor('the second write', () => disk.batches.length === 2);
    const third = writer.append(entry(9, 7));
    await new Promise(setImmediate);
    expect([disk.batches.length, writer.queuedPoints]).toEqual([2, 9]);
    await disk.finish(undefined, 1);
    expect(await Promise.all([few, enough])).toEqual(Array(2).fill({ kind: 'stored' }));
    await waitFor('the third write', () => disk.batches.length === 3);
    const cause = new Error('EIO');
    await disk.finish(cause, 1);
    expect(await third).toMatchObject({ kind: 'failed', cause });
    await disk.finish();
    expect(await first).toEqual({ kind: 'stored' });
    expect(disk.batches.map(seqsOf)).toEqual([[1], [2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12, 13, 14, 15]]);
  });

  it('closes when both writes have ended and what was too little for a second is stored', async () => {
    const disk = new Disk(2);
    const writer = disk.writer({ concurrency: { writes: 2, leastPoints: 5 } });
    const outcomes = [writer.append(entry(5, 1))];
    await waitFor('the first write', () => disk.isWriting);
    outcomes.push(writer.append(entry(5, 6)));
    await waitFor('the second write', () => disk.batches.length === 2);
    outcomes.push(writer.append(entry(1, 11)));
    let isClosed = false;
    const closed = writer.close().then(() => (isClosed = true));
    await disk.finish();
    await new Promise(setImmediate);
    expect([isClosed, disk.batches.length]).toEqual([false, 2]);
    await disk.finish();
    await disk.finish();
    await closed;
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill({ kind: 'stored' }));
  });

  it.each([
    ['one write at a time', ONE_WRITE],
    ['two writes at a time', { writes: 2, leastPoints: 4 }],
  ])(
    'begins to store each accepted entry exactly once and in order, with %s, whatever the disk does',
    async (_, how) => {
      const step = fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({ do: fc.constant('append' as const), size: fc.integer({ min: 1, max: 12 }) }),
        },
        {
          weight: 2,
          arbitrary: fc.record({
            do: fc.constant('write' as const),
            fails: fc.boolean(),
            place: fc.nat(how.writes - 1),
          }),
        },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const disk = new Disk(how.writes);
          const writer = disk.writer({ maxQueuedPoints: 20, concurrency: how });
          const pending: { seqs: number[]; outcome: Promise<AppendOutcome> }[] = [];
          const failed = new Set<number>();
          let seq = 0;
          const settle = async (fails: boolean, place: number) => {
            const batch = await disk.finish(fails ? new Error('EIO') : undefined, place % disk.writes);
            if (fails) for (const lost of seqsOf(batch)) failed.add(lost);
            await new Promise(setImmediate);
          };
          for (const one of steps) {
            if (one.do === 'append') {
              const wanted = entry(one.size, seq + 1);
              const before = writer.queuedPoints;
              const outcome = writer.append(wanted);
              if (before > 0 && before + one.size > 20) expect(await outcome).toEqual({ kind: 'full', retryAfterS: 1 });
              else pending.push({ seqs: wanted.points.map((point) => point.seq), outcome });
              seq += one.size;
              expect(writer.queuedPoints).toBeLessThanOrEqual(20);
            } else {
              await new Promise(setImmediate);
              if (disk.isWriting) await settle(one.fails, one.place);
            }
          }
          const closed = writer.close();
          await new Promise(setImmediate);
          while (disk.isWriting) await settle(false, 0);
          await closed;
          for (const { seqs, outcome } of pending) {
            const isLost = seqs.some((one) => failed.has(one));
            expect(await outcome).toMatchObject({ kind: isLost ? 'failed' : 'stored' });
            expect(seqs.every((one) => failed.has(one) === isLost)).toBe(true);
          }
          expect(disk.batches.flatMap(seqsOf)).toEqual(pending.flatMap(({ seqs }) => seqs));
        }),
        { numRuns: 100 },
      );
    },
  );
});
