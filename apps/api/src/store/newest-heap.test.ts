import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NewestHeap } from './newest-heap.js';

it('a heap of the newest keeps just those that a full sort puts first', () => {
  const point = fc.record({ time: fc.integer({ min: 0, max: 9 }), seq: fc.integer({ min: 0, max: 50 }) });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), (points, capacity) => {
      const heap = new NewestHeap(capacity);
      points.forEach(({ time, seq }, row) => heap.offer(time, seq, row % 3, row));
      const newest = [...points].sort((a, b) => b.time - a.time || b.seq - a.seq).slice(0, capacity);
      expect(heap.floorMs).toBe(points.length < capacity ? -Infinity : newest[newest.length - 1].time);
      const drained: { time: number; seq: number }[] = [];
      heap.drain((source, row) => {
        expect(source).toBe(row % 3);
        drained.push(points[row]);
      });
      expect(drained).toEqual(newest);
    }),
  );
});
