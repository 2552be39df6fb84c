import { describe, expect, it } from 'vitest';
import { closestName } from './closest-name.js';

const NAMES = ['model_id', 'since_hours', 'limit', 'since', 'until', 'cursor'];

describe('closestName', () => {
  it.each([
    ['limt', 'limit'],
    ['limits', 'limit'],
    ['lmiit', 'limit'],
    ['LIMIT', 'limit'],
    ['limit[]', 'limit'],
    ['model', 'model_id'],
    ['modelId', 'model_id'],
    ['model-id', 'model_id'],
    ['modle_id', 'model_id'],
    ['since_hour', 'since_hours'],
    ['sinceHours', 'since_hours'],
    ['sinc', 'since'],
    ['untill', 'until'],
    ['foo', null],
    ['', null],
    ['x'.repeat(10_000), null],
  ])('takes %s for %s', (given, wanted) => {
    expect(closestName(given, NAMES)).toBe(wanted);
  });

  it('takes the nearest of several', () => {
    expect(closestName('until', ['untie', 'until'])).toBe('until');
  });

  it('finds nothing among nothing', () => {
    expect(closestName('limit', [])).toBeNull();
  });
});
