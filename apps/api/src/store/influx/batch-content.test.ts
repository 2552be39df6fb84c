import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aPoint, aSeries, HOUR, NOW } from '../point-samples.contract.js';
import type { WriteBatch } from '../point-store.js';
import { batchContent } from './batch-content.js';
import { BatchEncoder } from './encode-batch.js';
import { type LinesContent, scanLines } from './scan-lines.js';

const series = aSeries({ region: 'eu' });
const anyBatch = fc
  .record({
    points: fc.array(fc.tuple(fc.nat(50), fc.nat(3 * HOUR)), { maxLength: 40 }),
    drifts: fc.array(fc.nat(50), { maxLength: 5 }),
  })
  .map(({ points, drifts }): WriteBatch => {
    const drift = { project: 'p', modelId: 'm', driftType: 'data', severity: 'low', confidence: 1, tags: {} } as const;
    return {
      points: points.map(([seq, agoMs]) => aPoint(series, seq, NOW - agoMs)),
      drifts: drifts.map((seq) => ({ ...drift, seq, timestampMs: NOW })),
      records: [],
    };
  });

function textOf({ minutes, points, drifts, newestMs }: LinesContent): unknown {
  return [minutes.toString(), points.toString(), drifts.toString(), newestMs];
}

describe('batchContent', () => {
  it('finds in a batch what scanLines finds in its lines', () => {
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const lines = new BatchEncoder(3, () => NOW).encode(batch);
        expect(textOf(batchContent(batch, 3))).toEqual(textOf(scanLines(lines)));
      }),
      { numRuns: 1000 },
    );
  });
});
