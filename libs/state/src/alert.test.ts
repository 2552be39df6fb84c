import { RULES } from '@tidemark/types';
import { expect, it } from 'vitest';
import { alertTypeOf } from './alert.js';

it('every rule belongs to the type that people know it by', () => {
  expect(RULES.map((rule) => [rule, alertTypeOf(rule)])).toEqual([
    ['latency', 'latency'],
    ['error_rate', 'error_rate'],
    ['gpu_memory', 'resource_usage'],
    ['cpu_usage', 'resource_usage'],
    ['memory_usage', 'resource_usage'],
    ['drift_data', 'drift'],
    ['drift_concept', 'drift'],
  ]);
});
