import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aPoint, aSeries, NOW } from '../point-samples.contract.js';
import type { IdempotencyRecord } from '../point-store.js';
import { BatchEncoder } from './encode-batch.js';
import { recordsIn } from './records-in.js';
import { anyText } from './rig/any-text.js';

const record: fc.Arbitrary<IdempotencyRecord> = fc.record({
  ...{ project: anyText, key: anyText, body: anyText },
  fingerprint: fc.constantFrom('ab'.repeat(32), '09'.repeat(32)),
  status: fc.constantFrom(201, 207, 422),
  createdMs: fc.integer({ min: 1, max: NOW }),
});

it('records are read back from the lines of a batch, whatever texts are in it', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), anyText, (records, text) => {
      const points = [aPoint(aSeries({ n: text }), 1, NOW, { requestId: `idempotency,${text}` })];
      const lines = new BatchEncoder(0, () => NOW).encode({ points, drifts: [], records });
      expect(recordsIn(lines)).toEqual(records);
    }),
    { numRuns: 500 },
  );
});
