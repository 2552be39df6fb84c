import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock, NOON } from '../rig/manual-clock.js';
import { BatchBody, type MetricBody, parseJson, parseLines, singleBody } from './body.js';
import { SeriesRegistry } from './series-registry.js';
import { Validator } from './validate.js';

const MAX_AGE_MS = 7 * 86_400_000;
const good = '"model_id":"m","model_type":"llm","request_id":"r"';
const goodDrift = '"model_id":"m","drift_type":"data","severity":"low"';

let clock: ManualClock;
let validator: Validator;

beforeEach(() => {
  clock = new ManualClock();
  validator = new Validator({
    registry: new SeriesRegistry({ maxSeries: 2 }),
    clock,
    maxAgeMs: MAX_AGE_MS,
    lastSeq: 41,
  });
});

const single = (json: string): MetricBody => singleBody(parseJson(Buffer.from(json)), Buffer.from(json));
const batch = (...items: string[]): MetricBody => new BatchBody(Buffer.from(`{"metrics":[${items.join(',')}]}`));
const lines = (...items: string[]): MetricBody => parseLines(Buffer.from(items.join('\n')));
const inference = (members: string) => validator.inference('p', single(`{${good},${members}}`));
const faultOf = (members: string) => inference(members).rejected.map(({ pointer, code }) => `${pointer} ${code}`);

describe('Validator', () => {
  it('makes a whole point of a whole metric', () => {
    const { points, rejected } = inference(
      '"latency":12.5,"throughput":3,"error_rate":0,"resource_usage":{"gpu_memory":1,"cpu_usage":0.5,"memory_usage":null},' +
        '"tags":{"region":"eu"},"timestamp":"2026-03-01T11:59:00Z","values":{"tokens":-512}',
    );
    expect(rejected).toEqual([]);
    expect(points).toEqual([
      {
        series: expect.objectContaining({ project: 'p', modelId: 'm', modelType: 'llm', tags: { region: 'eu' } }),
        ...{ seq: 42, timestampMs: NOON - 60_000, requestId: 'r', latency: 12.5, throughput: 3, errorRate: 0 },
        ...{ gpuMemory: 1, cpuUsage: 0.5, memoryUsage: null, values: { tokens: -512 } },
      },
    ]);
  });

  it('takes null for absent where a member is optional', () => {
    const nulls =
      '"latency":1,"throughput":null,"error_rate":null,"resource_usage":null,"values":null,"timestamp":null';
    expect(inference(nulls).points).toMatchObject([
      {
        throughput: null,
        errorRate: null,
        gpuMemory: null,
        cpuUsage: null,
        memoryUsage: null,
        values: null,
        timestampMs: NOON,
      },
    ]);
    expect(faultOf('"latency":1,"tags":null')).toEqual(['/tags type']);
  });

  it('numbers what it accepts and nothing else', () => {
    const { points } = validator.inference('p', batch(`{${good},"latency":1}`, '{}', `{${good},"latency":2}`));
    expect(points.map(({ seq, latency }) => [seq, latency])).toEqual([
      [42, 1],
      [43, 2],
    ]);
    expect(validator.drift('p', single(`{${goodDrift},"confidence":1}`)).drifts[0]?.seq).toBe(44);
  });

  it.each([
    ['a fraction', '0.1', 0.1],
    ['the largest double', '1.7976931348623157e308', Number.MAX_VALUE],
    ['the smallest', '5e-324', 5e-324],
    ['2^53', '9007199254740992', 2 ** 53],
    ['2^60 as JavaScript writes it', '1152921504606847000', 2 ** 60],
    ['an exact integer of many digits', '10000000000000000000000', 1e22],
    ['text', '"12.5"', 12.5],
    ['text with an exponent', '"1e2"', 100],
    ['an exact integer as text', '"9007199254740992"', 2 ** 53],
  ])('stores %s exactly', (_what, literal, wanted) => {
    expect(inference(`"latency":${literal}`).points[0]?.latency).toBe(wanted);
    expect(inference(`"latency":1,"values":{"v":${literal}}`).points[0]?.values?.['v']).toBe(wanted);
    expect(validator.inference('p', lines(`{${good},"latency":${literal}}`)).points[0]?.latency).toBe(wanted);
    expect(validator.inference('p', batch(`{${good},"latency":${literal}}`)).points[0]?.latency).toBe(wanted);
  });

  it('keeps the sign of a negative zero', () => {
    expect(inference('"latency":1,"error_rate":-0,"values":{"v":-0}').points[0]).toMatchObject({
      errorRate: -0,
      values: { v: -0 },
    });
  });

  it.each([
    ['2^53 + 1', '9007199254740993', 'not_exact'],
    ['2^53 + 1 as text', '"9007199254740993"', 'not_exact'],
    ['400 digits', '9'.repeat(400), 'not_exact'],
    ['1e400 as text', '"1e400"', 'not_finite'],
    ['1e400', '1e400', 'not_finite'],
    ['-1e999', '-1e999', 'not_finite'],
    ['the text NaN', '"NaN"', 'type'],
    ['the text Infinity', '"Infinity"', 'type'],
    ['a text that is no number', '"fast"', 'type'],
    ['an empty text', '""', 'type'],
    ['null', 'null', 'type'],
    ['true', 'true', 'type'],
    ['a list', '[1]', 'type'],
    ['an object', '{"a":1}', 'type'],
  ])('rejects %s at its place in every kind of body', (_what, literal, code) => {
    const bad = `{${good},"latency":${literal}}`;
    const badValue = `{${good},"latency":1,"values":{"a/b":${literal}}}`;
    const fine = `{${good},"latency":1}`;
    const wanted = [
      expect.objectContaining({ index: 1, pointer: '/latency', code }),
      expect.objectContaining({ index: 2, pointer: '/values/a~1b', code }),
    ];
    for (const body of [batch(fine, bad, badValue, fine), lines(fine, bad, badValue, fine)]) {
      const { points, rejected } = validator.inference('p', body);
      expect(rejected).toEqual(wanted);
      expect(points).toHaveLength(2);
    }
  });

  it.each([
    ['"latency":0', '/latency range'],
    ['"latency":-0', '/latency range'],
    ['"latency":-1', '/latency range'],
    ['"latency":1,"throughput":0', '/throughput range'],
    ['"latency":1,"error_rate":1.01', '/error_rate range'],
    ['"latency":1,"error_rate":"1.01"', '/error_rate range'],
    ['"latency":1,"resource_usage":{"cpu_usage":-0.1}', '/resource_usage/cpu_usage range'],
    ['"latency":1,"resource_usage":{"gpu_memory":"1e400"}', '/resource_usage/gpu_memory not_finite'],
    ['"latency":1,"resource_usage":[]', '/resource_usage type'],
    ['"latency":1,"tags":{"a":1}', '/tags/a type'],
    ['"latency":1,"tags":{"a~b":null}', '/tags/a~0b type'],
    ['"latency":1,"tags":{"prototype":"x"}', '/tags/prototype reserved_name'],
    ['"latency":1,"values":{"prototype":1}', '/values/prototype reserved_name'],
    ['"latency":1,"values":{"":1}', '/values/ length'],
    ['"latency":1,"values":{"a\\u0000":1}', '/values bad_text'],
    ['"latency":1,"timestamp":true', '/timestamp type'],
    ['"latency":1,"timestamp":"soon"', '/timestamp timestamp_format'],
    ['"latency":1,"timestamp":"2026-03-01T12:11:00Z"', '/timestamp timestamp_future'],
    ['"latency":1,"timestamp":0', '/timestamp timestamp_too_old'],
    ['"latency":1,"request_id":"\\ud800"', '/request_id bad_text'],
    ['"latency":1,"model_id":"a\\u001bb"', '/model_id bad_text'],
    ['"latency":1,"model_id":""', '/model_id length'],
    [`"latency":1,"model_id":"${'x'.repeat(257)}"`, '/model_id length'],
    ['"latency":1,"model_type":"gpt"', '/model_type enum'],
    [`"latency":1,"tags":{${Array.from({ length: 17 }, (_, i) => `"t${i}":""`).join(',')}}`, '/tags too_many'],
    [`"latency":1,"values":{${Array.from({ length: 33 }, (_, i) => `"v${i}":1`).join(',')}}`, '/values too_many'],
  ])('rejects %s', (members, wanted) => {
    expect(faultOf(members)).toEqual([wanted]);
  });

  it('tells of every fault of an item, each at its place', () => {
    const { rejected } = validator.inference('p', batch('{"model_id":5,"latency":0}', `{${good},"latency":1}`, 'null'));
    expect(rejected.map(({ index, pointer, code }) => `${index} ${pointer} ${code}`).sort()).toEqual([
      '0 /latency range',
      '0 /model_id type',
      '0 /model_type required',
      '0 /request_id required',
      '2  type',
    ]);
  });

  it('lets members that it does not know through', () => {
    expect(inference('"latency":1,"gpu":"a100","nested":{"deep":[1]}').rejected).toEqual([]);
  });

  it('says which line of NDJSON cannot be read, and takes the others', () => {
    const { points, rejected } = validator.inference(
      'p',
      lines(
        `{${good},"latency":1}`,
        '{"model_id":',
        '',
        `{${good},"latency":2}\r`,
        `{${good},"__proto__":{"latency":3}}`,
      ),
    );
    expect(points.map(({ latency }) => latency)).toEqual([1, 2]);
    expect(rejected.map(({ index, code, pointer }) => [index, code, pointer])).toEqual([
      [1, 'malformed_body', ''],
      [3, 'reserved_name', '/__proto__'],
    ]);
  });

  it('refuses a series past the limit by its index, and takes what belongs to the others', () => {
    const tagged = (value: string) => `{${good},"latency":1,"tags":{"id":"${value}"}}`;
    const { points, rejected } = validator.inference('p', batch(...['a', 'b', 'c', 'a'].map(tagged)));
    expect(points).toHaveLength(3);
    expect(rejected).toMatchObject([{ index: 2, pointer: '/tags', code: 'series_limit' }]);
  });

  it('judges time by the clock of each request', () => {
    const metric = '"latency":1,"timestamp":"2026-03-01T12:30:00Z"';
    expect(faultOf(metric)).toEqual(['/timestamp timestamp_future']);
    clock.jump(3_600_000);
    expect(inference(metric).points).toHaveLength(1);
    clock.jump(-7_200_000);
    expect(faultOf(metric)).toEqual(['/timestamp timestamp_future']);
  });

  it('makes drift of drift, and rejects what is none', () => {
    const drift = (members: string) => validator.drift('p', single(`{${goodDrift},${members}}`));
    expect(drift('"confidence":"0.25","tags":{"b":"1"},"timestamp":"2026-03-01T13:00:00+01:00"').drifts).toEqual([
      {
        ...{ project: 'p', seq: 42, timestampMs: NOON, modelId: 'm', driftType: 'data', severity: 'low' },
        ...{ confidence: 0.25, tags: { b: '1' } },
      },
    ]);
    const faults = [
      '"confidence":1.5',
      '"confidence":1,"severity":"worst"',
      '"confidence":1,"tags":{"constructor ":"\\u0007"}',
      '"severity":"high"',
    ];
    expect(faults.map((members) => drift(members).rejected.map(({ pointer, code }) => `${pointer} ${code}`))).toEqual([
      ['/confidence range'],
      ['/severity enum'],
      ['/tags/constructor  bad_text'],
      ['/confidence required'],
    ]);
  });
});
