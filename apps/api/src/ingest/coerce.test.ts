import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coerceNumbers } from './coerce.js';

const latencyOf = (text: unknown) => {
  const { item } = coerceNumbers({ latency: text });
  return (item as { latency: unknown }).latency;
};

describe('coerceNumbers', () => {
  it.each([
    ['12', 12],
    ['-12.50', -12.5],
    ['+3', 3],
    ['1e3', 1000],
    ['1.5E-2', 0.015],
    ['.5', 0.5],
    ['5.', 5],
    [' \t7\n', 7],
    ['9007199254740992', 2 ** 53],
    ['000000000000000001', 1],
    ['0.1', 0.1],
  ])('reads %j as a number', (text, wanted) => {
    expect(latencyOf(text)).toBe(wanted);
    expect(coerceNumbers({ latency: text }).faults).toEqual([]);
  });

  it.each([
    '',
    ' ',
    'abc',
    '1,5',
    '0x10',
    '1_000',
    'NaN',
    'Infinity',
    '-Infinity',
    '1e',
    '.',
    '--1',
    '1 2',
    '٣',
    '1'.repeat(401),
  ])('leaves %j for the schema to refuse', (text) => expect(latencyOf(text)).toBe(text));

  it.each([
    ['9007199254740993', 'not_exact'],
    ['-9007199254740993', 'not_exact'],
    ['+9007199254740993', 'not_exact'],
    ['9'.repeat(400), 'not_exact'],
    ['1e400', 'not_finite'],
    ['-1e400', 'not_finite'],
  ])('tells of %s that no double holds it', (text, code) => {
    expect(coerceNumbers({ latency: text }).faults).toMatchObject([{ pointer: '/latency', code }]);
  });

  it('reads numbers where a metric has them, and nowhere else', () => {
    const numbers = { latency: '1', throughput: '2', error_rate: '0.5', confidence: '1' };
    const texts = { model_id: '1', request_id: '2', timestamp: '1700000000000', tags: { a: '1' }, other: '3' };
    const { item } = coerceNumbers({
      ...numbers,
      ...texts,
      resource_usage: { cpu_usage: '0.1' },
      values: { tokens: '5', none: null },
    });
    expect(item).toEqual({
      ...{ latency: 1, throughput: 2, error_rate: 0.5, confidence: 1 },
      ...texts,
      resource_usage: { cpu_usage: 0.1 },
      values: { tokens: 5, none: null },
    });
  });

  it('points into an object, past any sign in a name', () => {
    const { faults } = coerceNumbers({
      values: { 'a/b~c': '1e999' },
      resource_usage: { gpu_memory: '9007199254740993' },
    });
    expect(faults.map(({ pointer }) => pointer).sort()).toEqual(['/resource_usage/gpu_memory', '/values/a~1b~0c']);
  });

  it.each([[null], [undefined], [5], ['text'], [[1, 2]]])('hands %j through', (item) => {
    expect(coerceNumbers(item)).toEqual({ item, faults: [] });
  });

  it('leaves what it was given as it was', () => {
    const given = { latency: '5', values: { a: '1' } };
    coerceNumbers(given);
    expect(given).toEqual({ latency: '5', values: { a: '1' } });
  });

  it('reads the text of any number back as that number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const { item, faults } = coerceNumbers({ latency: String(number) });
        expect(faults).toEqual([]);
        expect(item).toEqual({ latency: Number(String(number)) });
      }),
      { numRuns: 2000 },
    );
  });
});
