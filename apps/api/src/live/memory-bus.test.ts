import { describe, expect, it } from 'vitest';
import { describeBus } from './live-bus.contract.js';
import { MemoryBus } from './memory-bus.js';
import { makePoint } from './rig/points.js';

describeBus(async () => new MemoryBus());

describe('the bus in memory', () => {
  it('tells what a listener threw, even to one who throws at that', () => {
    const told: unknown[] = [];
    const bus = new MemoryBus((error) => {
      told.push(error);
      throw new Error('cannot be told');
    });
    const failure = new Error('a listener failed');
    bus.subscribe(() => {
      throw failure;
    });
    bus.publish({ kind: 'inference', project: 'default', items: [makePoint()] });
    expect(told).toEqual([failure]);
  });
});
