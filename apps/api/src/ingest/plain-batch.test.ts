import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_BATCH_ITEMS } from '@tidemark/types';
import { HttpProblem } from '../platform/problem.js';
import { ManualClock, NOON } from '../rig/manual-clock.js';
import { BatchBody, type MetricBody } from './body.js';
import { PlainBatchReader } from './plain-batch.js';
import { nameFault, SeriesRegistry } from './series-registry.js';
import { Validator } from './validate.js';

const MAX_AGE_MS = 7 * 86_400_000;
const LAST_SEQ = 41;
const request = { project: 'p', bounds: { nowMs: NOON, maxAgeMs: MAX_AGE_MS } };
const good = '"model_id":"m","model_type":"llm","request_id":"r","latency":1';
const usual =
  '{"model_id":"m","model_type":"llm","request_id":"9d2f-1","latency":12.345,"throughput":20.5,"error_rate":0.012,' +
  '"resource_usage":{"gpu_memory":0.5,"cpu_usage":0.25,"memory_usage":null},"tags":{"region":"eu","version":"1.2"},' +
  '"values":{"tokens":512,"delta":-0.5},"timestamp":"2026-03-01T11:59:00.250Z"}';

let registry: SeriesRegistry;
let reader: PlainBatchReader;
let validator: Validator;

beforeEach(() => {
  registry = new SeriesRegistry({ maxSeries: 1000 });
  reader = new PlainBatchReader(registry, (values) => Object.keys(values).every((name) => !nameFault('/values', name)));
  validator = new Validator({ registry, clock: new ManualClock(), maxAgeMs: MAX_AGE_MS, lastSeq: LAST_SEQ });
});

const textOf = (...items: string[]) => `{"metrics":[${items.join(',')}]}`;
const read = (text: string) => reader.read(Buffer.from(text, 'latin1'), request, LAST_SEQ);

/** What the parser and the schema make of a body, which they are given without its bytes; null when they refuse anything. */
function readAtLength(text: string) {
  const whole = new BatchBody(Buffer.from(text, 'latin1'));
  try {
    const body: MetricBody = { items: whole.items, exactItem: (index) => whole.exactItem(index), source: null };
    const { points, rejected } = validator.inference('p', body);
    return rejected.length > 0 ? null : points.map((point, index) => ({ ...point, seq: LAST_SEQ + 1 + index }));
  } catch (error) {
    if (error instanceof HttpProblem) return null;
    throw error;
  }
}

describe('PlainBatchReader', () => {
  it.each([
    ['a usual metric', usual],
    ['the least that a metric has', `{${good}}`],
    ['members in another order', '{"latency":2,"request_id":"r","timestamp":null,"model_type":"cv","model_id":"m"}'],
    ['white space', `\n{ "model_id" : "m",\r\n\t"model_type":"llm" , "request_id":"r","latency" : 1 ,"tags": {} }`],
    ['empty objects', `{${good},"resource_usage":{},"tags":{},"values":{}}`],
    ['nulls', `{${good},"throughput":null,"error_rate":null,"resource_usage":null,"values":null,"timestamp":null}`],
    ['seventeen digits', `{${good},"throughput":0.30000000000000004,"values":{"v":-1.2345678901234567e-7}}`],
    ['exponents', `{${good},"throughput":1e3,"error_rate":5E-1,"values":{"v":1.5e+2}}`],
    ['a negative zero', `{${good},"error_rate":-0,"values":{"v":-0.0}}`],
    ['epoch ms with a fraction', `{${good},"timestamp":${NOON - 1}.75}`],
    ['epoch ms as text', `{${good},"timestamp":"${NOON - 1}"}`],
    ['another zone', `{${good},"timestamp":"2026-03-01T14:00:00+02:00"}`],
    ['a leap second', `{${good},"timestamp":"2026-02-28T23:59:60.000Z"}`],
    ['custom values that come twice', `{${good},"values":{"v":1,"v":2}}`],
    ['tags that come twice', `{${good},"tags":{"t":"a","t":"b"}}`],
  ])('reads %s as the parser and the schema do', (_what, item) => {
    const text = textOf(item, usual, item);
    const atLength = readAtLength(text);
    expect(atLength).toHaveLength(3);
    expect(read(text)).toEqual(atLength);
  });

  it.each([
    ['a text with an escape', '{"model_id":"m","model_type":"llm","request_id":"\\u0072","latency":1}'],
    ['a letter beyond ASCII', '{"model_id":"m","model_type":"llm","request_id":"\u00e9","latency":1}'],
    ['a member that it does not know', `{${good},"gpu":"a100"}`],
    ['a member that comes twice', `{${good},"latency":2}`],
    ['a name that could reach a prototype', `{${good},"tags":{"__proto__":"x"}}`],
    ['a name that a value may not have', `{${good},"values":{"prototype":1}}`],
    ['an integer that no double holds', `{${good},"values":{"v":9007199254740993}}`],
    ['a number that no double holds', `{${good},"values":{"v":1e400}}`],
    ['a number as text', '{"model_id":"m","model_type":"llm","request_id":"r","latency":"1"}'],
    ['a latency of zero', '{"model_id":"m","model_type":"llm","request_id":"r","latency":0}'],
    ['a share above one', `{${good},"resource_usage":{"cpu_usage":1.01}}`],
    ['a leading zero', `{${good},"throughput":01}`],
    ['a missing member', '{"model_id":"m","model_type":"llm","latency":1}'],
    ['a kind of model that is none', '{"model_id":"m","model_type":"gpt","request_id":"r","latency":1}'],
    ['tags in a list', `{${good},"tags":["a"]}`],
    ['a tag that is a list', `{${good},"tags":{"a":["x"]}}`],
    ['more members than an object may have', `{${good},"tags":{${'"a":"x",'.repeat(256)}"a":"x"}}`],
    ['tags of more bytes than are kept', `{${good},"tags":{"a":"${'x'.repeat(1024)}","a":"x"}}`],
    ['the future', `{${good},"timestamp":"2026-03-01T12:11:00Z"}`],
    ['the deep past', `{${good},"timestamp":0}`],
  ])('leaves %s to the parser and the schema', (_what, item) => {
    readAtLength(textOf(`{${good}}`, `{${good},"tags":{"a":"x"}}`));
    expect(read(textOf(`{${good}}`, `{${good},"tags":{"a":"x"}}`))).toHaveLength(2);
    expect(read(textOf(`{${good}}`, item))).toBeNull();
  });

  it.each(['', '{}', '[]', 'null', '{"metrics":[]}', '{"metrics":[{}]}', '{"metrics":{}}', `{"metric":[{${good}}]}`])(
    'leaves the body %j to the parser',
    (text) => expect(read(text)).toBeNull(),
  );

  it('leaves what follows the list, a broken end, and a list that is too long, to the parser', () => {
    const text = textOf(`{${good}}`);
    readAtLength(text);
    expect(read(`${text}\n `)).toHaveLength(1);
    for (const rest of ['}', ',', ' x', '\ufeff']) expect(read(text + rest)).toBeNull();
    for (let end = 0; end < text.length; end++) expect(read(text.slice(0, end))).toBeNull();
    expect(read(`{"metrics":[{${good}}],"more":1}`)).toBeNull();
    const most = Array<string>(MAX_BATCH_ITEMS).fill(`{${good}}`);
    expect(read(textOf(...most))).toHaveLength(MAX_BATCH_ITEMS);
    expect(read(textOf(...most, `{${good}}`))).toBeNull();
  });

  it('makes no series: a batch that is not read leaves the number of them as it was', () => {
    expect(read(textOf(usual))).toBeNull();
    expect(registry.count('p')).toBe(0);
  });

  it('takes no series of one project for that of another', () => {
    readAtLength(textOf(usual));
    expect(read(textOf(usual))?.[0]?.series.project).toBe('p');
    expect(reader.read(Buffer.from(textOf(usual)), { ...request, project: 'q' }, 0)).toBeNull();
  });

  it('keeps a series that it is sent active, and knows no series that the registry forgot', () => {
    const day = 24 * 3_600_000;
    const small = new SeriesRegistry({ maxSeries: 1 });
    const own = new PlainBatchReader(small, () => true);
    const at = (nowMs: number) => ({ project: 'p', bounds: { nowMs, maxAgeMs: MAX_AGE_MS } });
    const metric = { model_id: 'm', model_type: 'llm' as const };
    const body = Buffer.from(textOf(`{${good}}`));
    small.resolve('p', metric, NOON);
    expect(own.read(body, at(NOON + day - 1), 0)).toHaveLength(1);
    expect(small.resolve('p', { ...metric, model_id: 'n' }, NOON + day).ok).toBe(false);
    expect(own.read(body, at(NOON + day), 0)).toHaveLength(1);
    expect(small.resolve('p', { ...metric, model_id: 'n' }, NOON + 2 * day).ok).toBe(true);
    expect(own.read(body, at(NOON + 2 * day), 0)).toBeNull();
  });

  it('takes nothing that the parser or the schema would refuse, and makes the same points of the rest', () => {
    const pick = (...texts: string[]) => fc.constantFrom(...texts);
    const number = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }).map((value) => JSON.stringify(value)),
      pick('0', '-0', '1', '0.5', '1.0', '1e0', '1E-2', '0.30000000000000004', '123456789012345', '1234567890123456'),
      pick('01', '1.', '.5', '-', '1e', '+1', '"0.5"', 'null', 'true', '1e400', '-0.5', '9007199254740993', '[]'),
    );
    const time = pick('null', `${NOON}`, `${NOON}.5`, '"2026-03-01T11:00:00.123Z"', '"2026-02-30T11:00:00.000Z"', '5',
      '"2026-03-01t11:00:00z"', '"2026-03-01T11:00:61.000Z"', '"2026-03-01X11:00:00.000Z"', '"2026-03-01T1a:00:00.000Z"'); // prettier-ignore
    const name = pick('a', 'b', '', '__proto__', 'constructor', 'prototype', 'x'.repeat(65), 'a\\u0062', 'é', '\u007f');
    const objectOf = (names: fc.Arbitrary<string>, values: fc.Arbitrary<string>) =>
      fc
        .array(fc.tuple(names, values), { maxLength: 4 })
        .map((all) => `{${all.map(([n, v]) => `"${n}":${v}`).join(',')}}`);
    const text = pick('"m"', '"n"', '""', '"a b"', '"\\n"', '"ü"', '"\t"', `"${'x'.repeat(257)}"`, '5', 'null', '{}');
    const member = fc.oneof(
      text.map((value) => `"model_id":${value}`),
      pick('"llm"', '"cv"', '"gpt"', 'null').map((value) => `"model_type":${value}`),
      text.map((value) => `"request_id":${value}`),
      number.map((value) => `"latency":${value}`),
      number.map((value) => `"throughput":${value}`),
      number.map((value) => `"error_rate":${value}`),
      objectOf(pick('gpu_memory', 'cpu_usage', 'memory_usage', 'disk'), number).map(
        (value) => `"resource_usage":${value}`,
      ),
      objectOf(name, text).map((value) => `"tags":${value}`),
      objectOf(name, number).map((value) => `"values":${value}`),
      time.map((value) => `"timestamp":${value}`),
      pick('"other":1', '"__proto__":{}', '"resource_usage":null', '"values":null', '"tags":null', '"latency" : 3'),
    );
    const item = fc.array(member, { maxLength: 4 }).chain((more) => fc.shuffledSubarray([...good.split(','), ...more], { minLength: 3 })).map((all) => `{${all.join(',')}}`); // prettier-ignore
    const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 1 });
    let taken = 0;
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 3 }), damage, (items, damaged) => {
        const bytes = Buffer.from(textOf(...items));
        if (damaged) bytes[damaged[0] % bytes.length] = damaged[1];
        const body = bytes.toString('latin1');
        const atLength = readAtLength(body);
        const plain = read(body);
        if (plain === null) return;
        taken++;
        expect(plain).toEqual(atLength);
      }),
      { numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(500);
  }, 120_000);
});
