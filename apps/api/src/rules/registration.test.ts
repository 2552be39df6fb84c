import 'reflect-metadata';
import { DEFAULT_THRESHOLDS, ENVIRONMENTS, MODEL_TYPES, ModelRegistrationSchema } from '@tidemark/types';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../platform/problem.js';
import { readRegistration, toModelInput } from './registration.js';

const registration = { id: 'm', name: 'Model', model_type: 'llm', version: '1', environment: 'prod' };
const faultsOf = (body: unknown): string[] => {
  try {
    readRegistration(body);
    return [];
  } catch (error) {
    if (error instanceof HttpProblem) return (error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
    throw error;
  }
};

describe('readRegistration', () => {
  it.each([
    [{ id: '' }, '/id length'],
    [{ id: 'x'.repeat(257) }, '/id length'],
    [{ id: '🦊'.repeat(129) }, '/id length'],
    [{ id: 5 }, '/id type'],
    [{ id: undefined }, '/id required'],
    [{ name: 'line\nbreak' }, '/name bad_text'],
    [{ model_type: 'gpt' }, '/model_type enum'],
    [{ environment: undefined }, '/environment required'],
    [{ thresholds: { latency: 0 } }, '/thresholds/latency range'],
    [{ thresholds: { error_rate: 1.1 } }, '/thresholds/error_rate range'],
    [{ thresholds: { cpu_usage: 'half' } }, '/thresholds/cpu_usage type'],
    [{ thresholds: { cpu_usage: '' } }, '/thresholds/cpu_usage type'],
    [{ thresholds: { cpu_usage: '1.5' } }, '/thresholds/cpu_usage range'],
    [{ thresholds: { latency: '1e400' } }, '/thresholds/latency not_finite'],
    [{ thresholds: { latency: '9007199254740993' } }, '/thresholds/latency not_exact'],
    [{ resolve_after: '60' }, '/resolve_after type'],
    [{ thresholds: { latency: Infinity } }, '/thresholds/latency not_finite'],
    [{ thresholds: [] }, '/thresholds type'],
    [{ thresholds: 'none' }, '/thresholds type'],
    [{ resolve_after: 0 }, '/resolve_after range'],
    [{ resolve_after: 1.5 }, '/resolve_after type'],
    [{ repeat_interval: 59 }, '/repeat_interval range'],
    [{ channels: 'c1' }, '/channels type'],
    [{ channels: [1] }, '/channels type'],
    [{ channels: Array(33).fill('c') }, '/channels too_many'],
  ])('refuses %j', (change, wanted) => {
    expect(faultsOf({ ...registration, ...change })).toEqual([wanted]);
  });

  it('says in words what is wrong, without the name that the pointer tells', () => {
    const sentence = (change: object): string => {
      try {
        readRegistration({ ...registration, ...change });
      } catch (error) {
        return error instanceof HttpProblem ? (error.errors?.[0]?.message ?? '') : '';
      }
      return '';
    };
    expect(sentence({ thresholds: { latency: Infinity } })).toBe('is too large for a double');
    expect(sentence({ name: 'a\nb' })).toBe('holds a control character or half of a surrogate pair');
    expect(sentence({ name: '' })).toBe('must have 1 to 256 characters');
    expect(sentence({ name: undefined })).toBe('is required');
  });

  it.each([null, undefined, 5, 'text', [], [registration]])('refuses %j, which is no object', (body) => {
    expect(faultsOf(body)).toEqual([' type']);
  });

  it('tells of every fault together', () => {
    expect(faultsOf({ model_type: 'x', thresholds: { latency: -1, cpu_usage: 2 } }).sort()).toEqual([
      '/environment required',
      '/id required',
      '/model_type enum',
      '/name required',
      '/thresholds/cpu_usage range',
      '/thresholds/latency range',
      '/version required',
    ]);
  });

  it('accepts what the schema of the contract accepts, and nothing else', () => {
    const accepts = new Ajv({ strict: false, strictNumbers: true, unicode: false, logger: false }).compile(
      ModelRegistrationSchema,
    );
    const odd = fc.constantFrom<unknown>(
      null,
      '',
      'x',
      0,
      1,
      -1,
      0.5,
      1e400,
      true,
      [],
      {},
      ['c'],
      [5],
      '🦊'.repeat(200),
    );
    const whole = <T>(good: fc.Arbitrary<T>) =>
      fc.oneof({ weight: 19, arbitrary: good }, { weight: 1, arbitrary: odd });
    const text = whole(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 270 }));
    const share = whole(fc.double({ min: 0, max: 1, noNaN: true }));
    const latency = whole(fc.double({ min: 1e-9, max: 1e9, noNaN: true }));
    const thresholds = fc.record(
      { latency, error_rate: share, gpu_memory: share, cpu_usage: share, memory_usage: share, other: odd },
      { requiredKeys: [] },
    );
    const body = fc.record(
      {
        ...{ id: text, name: text, version: text },
        model_type: whole(fc.constantFrom(...MODEL_TYPES)),
        environment: whole(fc.constantFrom(...ENVIRONMENTS)),
        thresholds: whole(thresholds),
        resolve_after: whole(fc.integer({ min: -9, max: 700_000 })),
        repeat_interval: whole(fc.integer({ min: 0, max: 3_000_000 })),
        channels: whole(fc.array(fc.string(), { maxLength: 40 })),
        unknown: odd,
      },
      { requiredKeys: ['id', 'name', 'version', 'model_type', 'environment'] },
    );
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(body, (given) => {
        // The schema cannot tell of control characters and halves of pairs; the class refuses those besides.
        const faults = faultsOf(given).filter((fault) => !fault.endsWith('bad_text'));
        expect(faults.length === 0).toBe(accepts(given));
        seen[faults.length === 0 ? 'accepted' : 'refused']++;
      }),
      { numRuns: 3000 },
    );
    expect(Math.min(seen.accepted, seen.refused), `both occur: ${JSON.stringify(seen)}`).toBeGreaterThan(100);
  });
});

describe('toModelInput', () => {
  it('fills in the thresholds that are missing or null, and keeps a zero', () => {
    const model = readRegistration({
      ...registration,
      thresholds: { latency: 5, error_rate: 0, cpu_usage: null },
    });
    expect(toModelInput('p', model)).toEqual({
      ...{ project: 'p', id: 'm', name: 'Model', modelType: 'llm', version: '1', environment: 'prod' },
      thresholds: {
        latency: 5,
        errorRate: 0,
        gpuMemory: 0.8,
        cpuUsage: DEFAULT_THRESHOLDS.cpu_usage,
        memoryUsage: 0.8,
      },
    });
  });

  it('reads thresholds that are written as text, as those of metrics are', () => {
    const thresholds = { latency: ' 1e3', error_rate: '0', gpu_memory: '+.5', cpu_usage: null };
    expect(toModelInput('p', readRegistration({ ...registration, thresholds })).thresholds).toMatchObject({
      ...{ latency: 1000, errorRate: 0, gpuMemory: 0.5, cpuUsage: DEFAULT_THRESHOLDS.cpu_usage },
    });
  });

  it('hands on how alerts resolve and repeat, and whom they reach', () => {
    const model = readRegistration({
      ...registration,
      resolve_after: 60,
      repeat_interval: 600,
      channels: ['c1'],
    });
    expect(toModelInput('p', model)).toMatchObject({
      resolveAfterMs: 60_000,
      repeatIntervalMs: 600_000,
      channelIds: ['c1'],
    });
  });
});
