import type { Thresholds } from '@tidemark/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aDrift, aPoint, aSeries } from '../rig/points.js';
import { countOlder, evaluate, evaluateDrift, severityOf } from './evaluate.js';

/** From which all points count. */
const EVER = 0;
const LIMITS: Thresholds = { latency: 1000, error_rate: 0.05, gpu_memory: 0.8, cpu_usage: 0.8, memory_usage: 0.8 };
const breachesOf = (given: Parameters<typeof aPoint>[0], limits: Partial<Thresholds> = {}) =>
  evaluate([aPoint(given)], () => ({ ...LIMITS, ...limits }), EVER);

describe('evaluate', () => {
  it.each([
    [{ latency: 1500 }, {}, 'High latency detected: 1500.0ms (threshold: 1000.0ms)'],
    [{ latency: 1000.04 }, {}, 'High latency detected: 1000.0ms (threshold: 1000.0ms)'],
    [{ latency: 1234.56 }, { latency: 0.5 }, 'High latency detected: 1234.6ms (threshold: 0.5ms)'],
    [{ errorRate: 0.051 }, {}, 'High error rate detected: 5.1% (threshold: 5.0%)'],
    [{ errorRate: 1 }, { error_rate: 0 }, 'High error rate detected: 100.0% (threshold: 0.0%)'],
    [{ gpuMemory: 0.95 }, {}, 'High GPU memory usage: 95.0% (threshold: 80.0%)'],
    [{ cpuUsage: 0.999 }, { cpu_usage: 0.125 }, 'High CPU usage: 99.9% (threshold: 12.5%)'],
    [{ memoryUsage: 0.85 }, {}, 'High memory usage: 85.0% (threshold: 80.0%)'],
  ])('says of %j with the limits %j: %s', (given, limits, message) => {
    expect(breachesOf(given, limits).map((breach) => breach.message)).toEqual([message]);
  });

  // Checked against Python's format(value, '.1f').
  it.each([
    [1.25, '1.2'],
    [1.75, '1.8'],
    [0.25, '0.2'],
    [2.5, '2.5'],
    [1.05, '1.1'],
    [1.15, '1.1'],
    [1.35, '1.4'],
    [2.675, '2.7'],
    [0.05, '0.1'],
    [0.15, '0.1'],
    [0.45, '0.5'],
    [1000.25, '1000.2'],
    [1000.35, '1000.4'],
    [99.95, '100.0'],
    [123456789.25, '123456789.2'],
    [123456789.75, '123456789.8'],
    [4503599627370495.5, '4503599627370495.5'],
    [1e20, '100000000000000000000.0'],
  ])('writes %d as %s', (latency, text) => {
    expect(breachesOf({ latency }, { latency: 0.01 })[0]?.message).toContain(`${text}ms (`);
  });

  it('breaks no limit at the limit itself', () => {
    expect(breachesOf({ latency: 1000, errorRate: 0.05, gpuMemory: 0.8, cpuUsage: 0.8, memoryUsage: 0.8 })).toEqual([]);
    expect(breachesOf({ latency: 1, errorRate: 0 }, { error_rate: 0 })).toEqual([]);
  });

  it('breaks none by what is absent, even at a limit of zero', () => {
    expect(breachesOf({ latency: 1 }, { error_rate: 0, gpu_memory: 0, cpu_usage: 0, memory_usage: 0 })).toEqual([]);
  });

  it('finds several in one metric, in the order of the rules', () => {
    const breaches = breachesOf({ memoryUsage: 1, cpuUsage: 1, gpuMemory: 1, errorRate: 1, latency: 5000 });
    expect(breaches.map(({ rule }) => rule)).toEqual([
      'latency',
      'error_rate',
      'gpu_memory',
      'cpu_usage',
      'memory_usage',
    ]);
  });

  it('counts the breaches of a rule in a batch, and tells of the worst', () => {
    const points = [1100, 10, 2100, 1300].map((latency) => aPoint({ latency }));
    expect(evaluate(points, () => LIMITS, EVER)).toEqual([
      {
        ...{ project: 'default', modelId: 'churn', rule: 'latency', severity: 'critical' },
        ...{ value: 2100, threshold: 1000, count: 3 },
        message: 'High latency detected: 2100.0ms (threshold: 1000.0ms)',
      },
    ]);
  });

  it('keeps models and projects apart, and asks for the limits of each', () => {
    const points = [aSeries('a', 'p'), aSeries('b', 'p'), aSeries('a', 'q'), aSeries('p', 'a'), aSeries('a', 'p')].map(
      (series) => aPoint({ series, latency: 500 }),
    );
    const limitsOf = (project: string, modelId: string) => ({
      ...LIMITS,
      latency: project === 'q' ? 1000 : modelId === 'b' ? 100 : 400,
    });
    const breaches = evaluate(points, limitsOf, EVER);
    expect(breaches.map(({ project, modelId, threshold, count }) => [project, modelId, threshold, count])).toEqual([
      ['p', 'a', 400, 2],
      ['p', 'b', 100, 1],
      ['a', 'p', 400, 1],
    ]);
  });

  it('finds nothing of a model that nobody registered', () => {
    expect(evaluate([aPoint({ latency: 1e9 })], () => null, EVER)).toEqual([]);
  });

  it('lets the past rest: points from before the given time raise nothing and count for nothing', () => {
    const points = [
      aPoint({ latency: 9000, timestampMs: 999 }),
      aPoint({ latency: 1100, timestampMs: 1000 }),
      aPoint({ latency: 8000, timestampMs: 0 }),
    ];
    expect(evaluate(points, () => LIMITS, 1000)).toMatchObject([{ value: 1100, count: 1 }]);
    expect(evaluate(points, () => LIMITS, 1001)).toEqual([]);
    expect([0, 1000, 1001].map((sinceMs) => countOlder(points, sinceMs))).toEqual([0, 2, 3]);
  });
});

describe('severityOf', () => {
  it.each([
    [1001, 1000, 'low'],
    [1199.9, 1000, 'low'],
    [1200, 1000, 'medium'],
    [1499.9, 1000, 'medium'],
    [1500, 1000, 'high'],
    [1999.9, 1000, 'high'],
    [2000, 1000, 'critical'],
    [0.15, 0.1, 'high'],
    [0.3, 0.2, 'high'],
    [0.06, 0.05, 'medium'],
    [0.0001, 0, 'critical'],
  ])('grades %d over %d as %s', (value, threshold, wanted) => {
    expect(severityOf(value, threshold)).toBe(wanted);
  });

  it('grades every ratio that is exact in decimals as reached', () => {
    const factor = fc.constantFrom([12, 'medium'] as const, [15, 'high'] as const, [20, 'critical'] as const);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 6 }),
        factor,
        (digits, places, [tenths, severity]) => {
          const threshold = Number(`${digits}e-${places}`);
          const value = Number(`${digits * tenths}e-${places + 1}`);
          expect(severityOf(value, threshold)).toBe(severity);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('evaluateDrift', () => {
  it.each([
    [
      { severity: 'critical', confidence: 1 },
      'drift_data',
      'Data drift detected with critical severity (confidence: 100.0%)',
    ],
    [
      { severity: 'high', confidence: 0.8125, driftType: 'concept' },
      'drift_concept',
      'Concept drift detected with high severity (confidence: 81.2%)',
    ],
  ] as const)('raises %j as %s', (given, rule, message) => {
    expect(evaluateDrift([aDrift(given)], EVER)).toMatchObject([
      {
        rule,
        severity: given.severity,
        value: given.confidence,
        threshold: null,
        count: 1,
        message,
      },
    ]);
  });

  it('raises nothing of low and medium severity', () => {
    expect(evaluateDrift([aDrift({ severity: 'low' }), aDrift({ severity: 'medium' })], EVER)).toEqual([]);
  });

  it('raises nothing from before the given time', () => {
    const drift = aDrift({ severity: 'critical', timestampMs: 1000 });
    expect(evaluateDrift([drift], 1000)).toHaveLength(1);
    expect(evaluateDrift([drift], 1001)).toEqual([]);
  });
});
