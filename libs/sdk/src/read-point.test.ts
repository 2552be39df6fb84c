import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDriftPoint, readInferencePoint } from './read-point.js';
import type { ReadPoint } from './read-point.js';

const GOOD = { modelId: 'm', modelType: 'llm', latencyMs: 12.5 };
const NOW = 1_767_225_600_000;

function wire(read: ReadPoint): unknown {
  if (!read.ok) throw new Error(read.message);
  return JSON.parse(read.json);
}

describe('readInferencePoint', () => {
  it('writes the names of the wire, and only what is given', () => {
    expect(wire(readInferencePoint({ ...GOOD, requestId: 'r' }, NOW))).toEqual({
      model_id: 'm',
      model_type: 'llm',
      request_id: 'r',
      latency: 12.5,
      timestamp: NOW,
    });
  });

  it('writes everything that may be given', () => {
    const point = {
      ...GOOD,
      throughput: 3,
      errorRate: 0.5,
      resourceUsage: { gpuMemory: 0.1, cpuUsage: 0.2, memoryUsage: 0.3 },
      tags: { region: 'eu' },
      values: { tokens: 17 },
      timestamp: new Date(NOW - 1),
    };
    expect(wire(readInferencePoint(point, NOW))).toMatchObject({
      throughput: 3,
      error_rate: 0.5,
      resource_usage: { gpu_memory: 0.1, cpu_usage: 0.2, memory_usage: 0.3 },
      tags: { region: 'eu' },
      values: { tokens: 17 },
      timestamp: NOW - 1,
    });
  });

  it('gives a point without a request id one of its own', () => {
    const ids = [1, 2].map(() => wire(readInferencePoint(GOOD, NOW)));
    expect(ids[0]).not.toEqual(ids[1]);
  });

  it('raises a latency of zero to the least that is taken', () => {
    expect(wire(readInferencePoint({ ...GOOD, latencyMs: 0 }, NOW))).toMatchObject({ latency: 0.001 });
  });

  it('keeps a timestamp in text as it is', () => {
    const timestamp = '2026-01-01T00:00:00.123456Z';
    expect(wire(readInferencePoint({ ...GOOD, timestamp }, NOW))).toMatchObject({ timestamp });
  });

  it.each<[string, unknown]>([
    ['must be an object', null],
    ['must be an object', 'point'],
    ['modelId', { ...GOOD, modelId: '' }],
    ['modelType', { ...GOOD, modelType: 7 }],
    ['requestId', { ...GOOD, requestId: '' }],
    ['latencyMs', { ...GOOD, latencyMs: -1 }],
    ['latencyMs', { ...GOOD, latencyMs: Number.NaN }],
    ['latencyMs', { ...GOOD, latencyMs: Infinity }],
    ['latencyMs', { ...GOOD, latencyMs: '12' }],
    ['throughput', { ...GOOD, throughput: 0 }],
    ['errorRate', { ...GOOD, errorRate: 1.01 }],
    ['resourceUsage', { ...GOOD, resourceUsage: 3 }],
    ['cpuUsage', { ...GOOD, resourceUsage: { cpuUsage: 80 } }],
    ['tags', { ...GOOD, tags: { nested: {} } }],
    ['tags', { ...GOOD, tags: ['a'] }],
    ['values', { ...GOOD, values: { loss: Number.NaN } }],
    ['values', { ...GOOD, values: { loss: -Infinity } }],
    ['values', { ...GOOD, values: { loss: '1' } }],
    ['timestamp', { ...GOOD, timestamp: new Date(Number.NaN) }],
    ['timestamp', { ...GOOD, timestamp: {} }],
    [
      'cannot be read',
      {
        get modelId(): string {
          throw new Error('host');
        },
      },
    ],
  ])('refuses by naming %s', (name, input) => {
    const read = readInferencePoint(input, NOW);
    expect(read).toMatchObject({ ok: false, message: expect.stringContaining(name) });
  });

  it('neither throws nor writes a null for anything at all', () => {
    const maybe = (good: unknown): fc.Arbitrary<unknown> => fc.oneof(fc.constant(good), fc.anything());
    const input = fc.record({
      modelId: maybe('m'),
      modelType: maybe('cv'),
      latencyMs: maybe(1),
      tags: maybe({ a: 'b' }),
      values: maybe({ a: 1 }),
      timestamp: maybe(undefined),
    });
    fc.assert(
      fc.property(fc.oneof(input, fc.anything()), (value) => {
        const read = readInferencePoint(value, NOW);
        if (read.ok) expect(Object.values(Object(JSON.parse(read.json)))).not.toContain(null);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses a tag and a value named %s', (name) => {
    const tags: unknown = JSON.parse(`{"a":"b","${name}":"x"}`);
    const values: unknown = JSON.parse(`{"a":1,"${name}":1}`);
    const naming = 'none named __proto__, constructor, prototype';
    expect(readInferencePoint({ ...GOOD, tags, values }, NOW)).toEqual({
      ok: false,
      message: `tags must be an object of strings, ${naming}; values must be an object of finite numbers, ${naming}`,
    });
  });

  it('takes an empty object, which has such names only by inheritance', () => {
    expect(wire(readInferencePoint({ ...GOOD, tags: {}, values: {} }, NOW))).toMatchObject({ model_id: 'm' });
  });
});

describe('readDriftPoint', () => {
  const drift = { modelId: 'm', driftType: 'data', severity: 'high', confidence: 0.9 };

  it('writes the names of the wire', () => {
    expect(wire(readDriftPoint({ ...drift, tags: { a: 'b' } }, NOW))).toEqual({
      model_id: 'm',
      drift_type: 'data',
      severity: 'high',
      confidence: 0.9,
      timestamp: NOW,
      tags: { a: 'b' },
    });
  });

  it.each([
    ['modelId', { ...drift, modelId: undefined }],
    ['driftType', { ...drift, driftType: '' }],
    ['severity', { ...drift, severity: null }],
    ['confidence', { ...drift, confidence: 90 }],
  ])('refuses by naming %s', (name, input) => {
    expect(readDriftPoint(input, NOW)).toMatchObject({ ok: false, message: expect.stringContaining(name) });
  });
});
