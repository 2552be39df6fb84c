import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessageReader, encodeMessage } from './bus-wire.js';
import type { LiveMessage } from './live-bus.js';
import { makeAlert, makeDrift, makePoint } from './rig/points.js';

const read = createMessageReader();
const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const optional = fc.option(number);
const tags = fc.dictionary(text, text, { maxKeys: 4 });

const series = fc.record({
  ...{ key: text, project: fc.constant('p'), modelId: text, tags },
  modelType: fc.constantFrom('llm' as const, 'cv' as const, 'tabular' as const),
});
const points = fc.array(series, { minLength: 1, maxLength: 4 }).chain((some) =>
  fc.array(
    fc.record({
      ...{ series: fc.constantFrom(...some), seq: fc.maxSafeNat(), timestampMs: fc.maxSafeNat(), requestId: text },
      ...{ latency: number, throughput: optional, errorRate: optional, gpuMemory: optional },
      ...{ cpuUsage: optional, memoryUsage: optional, values: fc.option(fc.dictionary(text, number, { maxKeys: 4 })) },
    }),
  ),
);
const drifts = fc.array(
  fc.record({
    ...{ project: fc.constant('p'), seq: fc.maxSafeNat(), timestampMs: fc.maxSafeNat(), modelId: text, tags },
    driftType: fc.constantFrom('data' as const, 'concept' as const),
    severity: fc.constantFrom('low' as const, 'medium' as const, 'high' as const, 'critical' as const),
    confidence: number,
  }),
);
const alerts = fc.array(
  fc.record({ id: text, message: text, value: optional, threshold: optional, peak: optional }).map((some) => ({
    ...makeAlert('a'),
    ...some,
  })),
);
const messages: fc.Arbitrary<LiveMessage> = fc.oneof(
  points.map((items) => ({ kind: 'inference' as const, project: 'p', items })),
  drifts.map((items) => ({ kind: 'drift' as const, project: 'p', items })),
  alerts.map((items) => ({ kind: 'alert' as const, project: 'p', items })),
);

/** What is read back is ordinary objects; toStrictEqual also tells -0 from 0. */
const plain = (message: LiveMessage): unknown => structuredClone(message);

describe('the wire of the bus', () => {
  it('carries every message exactly, with negative zeros and any text', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(plain(read(encodeMessage(message)) ?? message)).toStrictEqual(plain(message));
        expect(read(encodeMessage(message))).not.toBeNull();
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps a name that is special to JavaScript a name', () => {
    const values = Object.fromEntries([['__proto__', -0]]);
    const message = { kind: 'inference', project: 'p', items: [{ ...makePoint({ project: 'p' }), values }] } as const;
    const back = read(encodeMessage(message));
    expect(back?.kind === 'inference' && Object.entries(back.items[0]?.values ?? {})).toEqual([['__proto__', -0]]);
  });

  it('writes each series once', () => {
    const point = makePoint();
    const items = Array.from({ length: 100 }, (_, seq) => ({ ...point, seq }));
    const encoded = encodeMessage({ kind: 'inference', project: 'default', items });
    expect(encoded.match(/region/g)).toHaveLength(1);
  });

  it('reads nothing that it would not have written', () => {
    const good = encodeMessage({ kind: 'inference', project: 'p', items: [makePoint({ project: 'p' })] });
    const bad = ['', '{}', 'null', '[]', '[2,"drift","p",[]]', '[1,"other","p",[]]', good.replace('[[0,', '[[1,')];
    bad.push(encodeMessage({ kind: 'drift', project: 'p', items: [makeDrift('p')] }).replace('0.9', '"0.9"'));
    for (const one of bad) expect(read(one), one).toBeNull();
    fc.assert(fc.property(fc.json(), (json) => read(json) === null));
  });
});
