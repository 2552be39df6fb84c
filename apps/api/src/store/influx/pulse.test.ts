import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pulse } from './pulse.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a Pulse', () => {
  it('ends everyone who waits when nothing is felt for as long as each would wait', () => {
    const pulse = new Pulse();
    const [short, long] = [pulse.listen(100), pulse.listen(300)];
    vi.advanceTimersByTime(99);
    expect([short.signal.aborted, long.signal.aborted]).toEqual([false, false]);
    vi.advanceTimersByTime(1);
    expect([short.signal.aborted, long.signal.aborted]).toEqual([true, false]);
    vi.advanceTimersByTime(200);
    expect(long.signal.aborted).toBe(true);
  });

  it('ends nobody while it is felt', () => {
    const pulse = new Pulse();
    const { signal } = pulse.listen(100);
    for (let time = 0; time < 50; time++) {
      vi.advanceTimersByTime(99);
      pulse.felt();
    }
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(100);
    expect(signal.aborted).toBe(true);
  });

  it('counts the silence from when somebody begins to listen', () => {
    const pulse = new Pulse();
    vi.advanceTimersByTime(1000);
    const { signal } = pulse.listen(100);
    vi.advanceTimersByTime(99);
    expect(signal.aborted).toBe(false);
  });

  it('leaves no timer behind of who has stopped or given up', () => {
    const pulse = new Pulse();
    const stopped = pulse.listen(100);
    pulse.listen(100);
    stopped.stop();
    vi.advanceTimersByTime(100);
    expect(stopped.signal.aborted).toBe(false);
    pulse.felt();
    expect(vi.getTimerCount()).toBe(0);
  });
});
