import { expect, it } from 'vitest';
import { type MakeEngine, useState } from './engine.contract.js';
import { Writers } from './writers.js';

/** describePort states what holds for the numbers of writers on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  it('are reserved for each slot, for the next holder to know, and never given back', async () => {
    const seq = 1_772_366_400_000_123; // microseconds
    const writers = new Writers(state());
    expect(await writers.reservedSeq(3)).toBe(0);
    await writers.reserve(3, seq);
    await writers.reserve(4, 7);
    await writers.reserve(3, seq - 1);
    const next = new Writers(await another());
    expect([await next.reservedSeq(3), await next.reservedSeq(4)]).toEqual([seq, 7]);
    await next.reserve(3, seq + 1);
    expect(await writers.reservedSeq(3)).toBe(seq + 1);
  });
}
