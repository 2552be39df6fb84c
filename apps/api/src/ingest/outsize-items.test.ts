import { MAX_BATCH_ITEMS } from '@tidemark/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setAsideItems } from './outsize-items.js';

const DEEP = `${'['.repeat(40)}${']'.repeat(40)}`;
const WIDE = `{${Array.from({ length: 300 }, (_, i) => `"k${i}":[${i},"}]"]`).join(',')}}`;

function setAside(text: string): { readonly batch: unknown; readonly codes: readonly [number, string][] } {
  const { text: rest, faults } = setAsideItems(Buffer.from(text));
  expect(rest.length).toBe(Buffer.byteLength(text));
  return { batch: JSON.parse(rest.toString()), codes: [...faults].map(([index, { code }]) => [index, code]) };
}

describe('setAsideItems', () => {
  it.each<[string, string, unknown, [number, string][]]>([
    ['nothing', '{"metrics":[{"a":1},2]}', { metrics: [{ a: 1 }, 2] }, []],
    ['a deep item', `{"metrics":[1,${DEEP},3]}`, { metrics: [1, null, 3] }, [[1, 'too_deep']]],
    ['a wide item', `{"metrics":[${WIDE},{"a":"ü,["}]}`, { metrics: [null, { a: 'ü,[' }] }, [[0, 'too_many_keys']]],
    [
      'several, the last one among them, with space around',
      ` { "metrics" : [ ${DEEP} , "],\\"" ,\n${WIDE} ] } `,
      { metrics: [null, '],"', null] },
      [
        [0, 'too_deep'],
        [2, 'too_many_keys'],
      ],
    ],
    [
      'nothing where two lists have the name',
      `{"metrics":[1],"metrics":[${DEEP}]}`,
      { metrics: [JSON.parse(DEEP)] },
      [],
    ],
    ['items behind other members', `{"a":[1],"b":{"c":[]},"metrics":[${DEEP}]}`, expect.anything(), [[0, 'too_deep']]],
    ['no other list', `{"others":[${DEEP}],"metrics":[]}`, { others: [JSON.parse(DEEP)], metrics: [] }, []],
    ['no list further in', `{"a":{"metrics":[${DEEP}]}}`, { a: { metrics: [JSON.parse(DEEP)] } }, []],
    ['nothing of a list alone', `[["metrics",[${DEEP}]]]`, [['metrics', [JSON.parse(DEEP)]]], []],
  ])('sets aside %s', (_what, text, batch, codes) => {
    expect(setAside(text)).toEqual({ batch, codes });
  });

  it('leaves an item that does not end', () => {
    const text = Buffer.from(`{"metrics":[1,${'['.repeat(500_000)}`);
    const { text: rest, faults } = setAsideItems(text);
    expect(rest.equals(text)).toBe(true);
    expect(faults.size).toBe(0);
  });

  it('stops behind as many items as a batch may hold', () => {
    const { faults } = setAsideItems(Buffer.from(`{"metrics":[${`${DEEP},`.repeat(20_000)}1]}`));
    expect(faults.size).toBe(MAX_BATCH_ITEMS + 1);
  });

  it('finds each item where it is, whatever stands beside it', () => {
    const item = fc.oneof(fc.jsonValue(), fc.constant(JSON.parse(DEEP)), fc.constant(JSON.parse(WIDE)));
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }), (metrics, more) => {
        const { batch, codes } = setAside(JSON.stringify({ more, metrics, last: more }, null, 1));
        const bad = metrics.map((one) =>
          [JSON.stringify(JSON.parse(DEEP)), JSON.stringify(JSON.parse(WIDE))].includes(JSON.stringify(one)),
        );
        expect(codes.map(([index]) => index)).toEqual([...bad.keys()].filter((index) => bad[index]));
        const { metrics: left } = JSON.parse(
          JSON.stringify({ metrics: metrics.map((one, i) => (bad[i] ? null : one)) }),
        );
        expect(batch).toEqual(JSON.parse(JSON.stringify({ more, metrics: left, last: more })));
      }),
      { numRuns: 150 },
    );
  });

  it('throws on no bytes at all', () => {
    const bytes = fc
      .array(fc.constantFrom(...Buffer.from('"\\{}[]:,1 ')), { maxLength: 200 })
      .map((inner) => Buffer.concat([Buffer.from('{"metrics":['), Buffer.from(inner)]));
    fc.assert(
      fc.property(bytes, (batch) => setAsideItems(batch).text.length === batch.length),
      { numRuns: 5_000 },
    );
  });
});
