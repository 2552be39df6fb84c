import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Background } from './background.js';
import { TendedWork, type Work, type WorkNote } from './tended-work.js';

/** Bucket is a work of a number of slices, which fails while it is told to. */
class Bucket implements Work {
  fault: Error | null = null;
  left = 0;
  tries = 0;
  pressed = false;

  constructor(readonly name: string) {}

  dueInMs(): number {
    return this.left > 0 ? 0 : Infinity;
  }

  isPressed(): boolean {
    return this.pressed;
  }

  slice(): void {
    this.tries++;
    if (this.fault) throw this.fault;
    this.left--;
  }
}

const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });

describe('Background', () => {
  const notes: WorkNote[] = [];
  let flush: Bucket;
  let retention: Bucket;
  let background: Background;

  beforeEach(() => {
    vi.useFakeTimers();
    notes.length = 0;
    [flush, retention] = [new Bucket('flush'), new Bucket('retention')];
    background = new Background([flush, retention], (note) => notes.push(note));
  });

  afterEach(() => {
    background.close();
    vi.useRealTimers();
  });

  it('tells of every fault by its work, which of them is the first, and when it is over', async () => {
    flush.left = 2;
    flush.fault = full;
    background.nudge();
    await vi.advanceTimersByTimeAsync(12_000);
    const fault = { kind: 'failed', work: 'flush', code: 'SQLITE_FULL', message: 'database or disk is full' };
    expect(notes).toEqual([
      { ...fault, isFirst: true },
      { ...fault, isFirst: false },
      { ...fault, isFirst: false },
    ]);
    flush.fault = null;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(notes.slice(3)).toEqual([{ kind: 'healed', work: 'flush', failures: 3 }]);
    flush.left = 1;
    flush.fault = new Error('again');
    background.nudge();
    await vi.advanceTimersByTimeAsync(1);
    expect(notes.slice(4)).toEqual([{ ...fault, isFirst: true, code: null, message: 'again' }]);
  });

  it('rests after a slice while messages come, and not when none came', async () => {
    flush.left = 3;
    background.nudge(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(flush.tries).toBe(1);
    await vi.advanceTimersByTimeAsync(3);
    expect(flush.tries).toBe(1);
    await vi.advanceTimersByTimeAsync(3);
    expect(flush.tries).toBe(3);
  });

  it('rests for no message while a work is pressed', async () => {
    flush.left = 3;
    flush.pressed = true;
    background.nudge(1);
    await vi.advanceTimersByTimeAsync(5);
    expect(flush.tries).toBe(3);
  });

  it('does not call a work well for a slice between two faults', async () => {
    flush.left = 1000;
    for (let round = 0; round < 5; round++) {
      flush.fault = null;
      background.nudge();
      await vi.advanceTimersByTimeAsync(1);
      flush.fault = full;
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(new Set(notes.map(({ kind }) => kind))).toEqual(new Set(['failed']));
    expect(notes.filter((note) => note.kind === 'failed' && note.isFirst)).toHaveLength(1);
  });

  it('calls a work well that is never done with the first good slice a minute after its last fault', () => {
    const endless = new TendedWork(flush, (note) => notes.push(note));
    flush.left = Infinity;
    flush.fault = full;
    endless.slice();
    flush.fault = null;
    vi.advanceTimersByTime(59_999);
    endless.slice();
    expect(notes).toHaveLength(1);
    vi.advanceTimersByTime(1);
    endless.slice();
    expect(notes.slice(1)).toEqual([{ kind: 'healed', work: 'flush', failures: 1 }]);
  });

  it('goes on with the other work while one fails', async () => {
    flush.left = 1;
    flush.fault = full;
    retention.left = 100;
    background.nudge();
    await vi.advanceTimersByTimeAsync(100);
    expect(retention.left).toBe(0);
    expect(flush.tries).toBe(1);
  });
});
