import { DriftMetricSchema, InferenceMetricSchema } from '@tidemark/types';
import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../platform/problem.js';
import { readCursor, writeCursor } from '../query/cursor.js';
import { ManualClock } from '../rig/manual-clock.js';
import { type Random, seededRandom } from '../rig/random.js';
import { BatchBody, parseJson, parseLines } from './body.js';
import { coerceNumbers } from './coerce.js';
import { compileSchema } from './schema-check.js';
import { SeriesRegistry } from './series-registry.js';
import { readTimestamp } from './timestamp.js';
import { Validator } from './validate.js';

const RUNS = 100_000;

const SEEDS = [
  '{"model_id":"m","model_type":"llm","request_id":"r","latency":12.5,"throughput":null,"error_rate":0.01,"resource_usage":{"gpu_memory":0.5},"tags":{"region":"eu"},"timestamp":"2026-03-01T11:59:00.123Z","values":{"tokens":512}}',
  '{"model_id":"m","drift_type":"data","severity":"high","confidence":"0.9","tags":{},"timestamp":1772366400000}',
  '{"metrics":[{"latency":1e400},{"latency":9007199254740993},{"latency":"-1.5e-3"}]}',
  '1\n{"a":"\\u005f\\u005fproto__"}\r\n\n[[[[null]]]]\n"\\ud800"',
  '2026-02-28T23:59:60.999999999+23:59',
  'MTcwMDAwMDAwMDAwMC40Mg',
  '[-0,0.1e+7,1E-400,123456789012345678901234567890,"\\"",{"":{"~/":true}}]',
].map((text) => Buffer.from(text));
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  ':',
  ',',
  '\n',
  '\u0000',
  '__proto__',
  'constructor',
  '\\u0000',
  '\\ud800',
  '1e999',
  '-',
  '9'.repeat(40),
  'null',
  'NaN',
  ' ',
].map((text) => Buffer.from(text));

/** Changes a few places of a text: bytes flipped, cut, doubled, or replaced by what parsers stumble over. */
function mutate(random: Random): Buffer {
  let bytes = SEEDS[random.below(SEEDS.length)] ?? Buffer.alloc(0);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(bytes.length + 1);
    const end = Math.min(bytes.length, at + random.below(12));
    const piece =
      [
        () => Buffer.from([random.below(256)]),
        () => Buffer.alloc(0),
        () => bytes.subarray(at, end),
        () => TOKENS[random.below(TOKENS.length)] ?? Buffer.alloc(0),
        () => Buffer.from(bytes.subarray(at, end)).map((byte) => byte ^ (1 << random.below(8))),
      ][random.below(5)]?.() ?? Buffer.alloc(0);
    const until = random.below(2) === 0 ? at : end;
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      piece,
      random.below(5) === 0 ? piece : Buffer.alloc(0),
      bytes.subarray(until),
    ]);
  }
  return bytes;
}

/** Runs a parser and lets only its refusals pass. */
function refusable<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HttpProblem && error.status < 500) return undefined;
    throw error;
  }
}

const batchOf = (item: Buffer) => new BatchBody(Buffer.concat([Buffer.from('{"metrics":['), item, Buffer.from(']}')]));

describe('mutated inputs', () => {
  it('crash no parser, and what is accepted is whole', () => {
    const inference = compileSchema(InferenceMetricSchema);
    const drift = compileSchema(DriftMetricSchema);
    const clock = new ManualClock();
    const registry = new SeriesRegistry({ maxSeries: 1000 });
    const validator = new Validator({ registry, clock, maxAgeMs: 7 * 86_400_000, lastSeq: 0 });
    const bounds = { nowMs: clock.wallMs(), maxAgeMs: 7 * 86_400_000 };
    const seen = { parsed: 0, refused: 0, stored: 0, rejected: 0, times: 0, cursors: 0 };
    for (let seed = 1; seed <= RUNS; seed++) {
      const random = seededRandom(seed);
      const bytes = mutate(random);
      const text = bytes.toString('latin1');
      const parsed = refusable(() => parseJson(bytes));
      seen[parsed === undefined ? 'refused' : 'parsed']++;
      for (const schema of [inference, drift]) {
        if (!schema.accepts(parsed) && schema.faults(parsed).length === 0) throw new Error(`seed ${seed}: no reason`);
      }
      coerceNumbers(parsed);
      const bodies = [refusable(() => parseLines(bytes)), parsed === undefined ? undefined : batchOf(bytes)];
      for (const body of bodies) {
        if (!body) continue;
        const judged = [validator.inference('p', body), validator.drift('p', body)];
        for (const { points, drifts, rejected } of judged) {
          const refused = new Set(rejected.map(({ index }) => index));
          if (points.length + drifts.length + refused.size !== body.items.length)
            throw new Error(`seed ${seed}: an item was lost`);
          if (
            points.some(
              ({ latency, timestampMs }) => !(latency > 0 && Number.isFinite(latency) && Number.isInteger(timestampMs)),
            )
          )
            throw new Error(`seed ${seed}: a point is not whole`);
          seen.stored += points.length + drifts.length;
          seen.rejected += refused.size;
        }
      }
      const time = readTimestamp(text, bounds);
      if (time.ok) {
        if (!Number.isInteger(time.ms)) throw new Error(`seed ${seed}: half a millisecond`);
        seen.times++;
      }
      const position = readCursor(text);
      if (position) {
        if (readCursor(writeCursor(position))?.seq !== position.seq)
          throw new Error(`seed ${seed}: the cursor changed`);
        seen.cursors++;
      }
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    for (const [what, count] of Object.entries(seen))
      expect(count, `${what} occur among the inputs`).toBeGreaterThan(50);
  }, 60_000);
});
