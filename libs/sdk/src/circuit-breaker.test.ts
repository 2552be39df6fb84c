import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';

const LIMITS = { failures: 3, openMs: 1_000, maxOpenMs: 3_000 };

function failing(times: number, at = 0): CircuitBreaker {
  const breaker = new CircuitBreaker(LIMITS);
  for (let i = 0; i < times; i++) breaker.fail(at);
  return breaker;
}

describe('CircuitBreaker', () => {
  it('stays closed below the allowed number of failures', () => {
    const breaker = failing(2);
    expect(breaker.state(0)).toBe('closed');
    expect(breaker.openUntil).toBe(0);
  });

  it('opens at the last allowed failure and lets one try through afterwards', () => {
    const breaker = failing(3, 100);
    expect(breaker.state(100)).toBe('open');
    expect(breaker.openUntil).toBe(1_100);
    expect(breaker.state(1_099)).toBe('open');
    expect(breaker.state(1_100)).toBe('half_open');
  });

  it('doubles the time with every failed try, up to the maximum', () => {
    const breaker = failing(3);
    breaker.fail(1_000);
    expect(breaker.openUntil).toBe(3_000);
    breaker.fail(3_000);
    expect(breaker.openUntil).toBe(6_000);
    breaker.fail(6_000);
    expect(breaker.openUntil).toBe(9_000);
  });

  it('closes with a success and counts anew', () => {
    const breaker = failing(3);
    breaker.succeed();
    expect(breaker.state(0)).toBe('closed');
    breaker.fail(0);
    breaker.fail(0);
    expect(breaker.state(0)).toBe('closed');
    breaker.fail(0);
    expect(breaker.openUntil).toBe(1_000);
  });

  it('can be opened at once', () => {
    const breaker = new CircuitBreaker(LIMITS);
    breaker.open(50);
    expect(breaker.state(50)).toBe('open');
    expect(breaker.openUntil).toBe(1_050);
  });
});
