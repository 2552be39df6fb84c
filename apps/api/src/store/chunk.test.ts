import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { METRICS } from './chunk-layout.js';
import { encodePoints } from './encode-points.js';
import { mergeChunks } from './merge-chunks.js';
import { aPoint, aSeries, NOW } from './point-samples.contract.js';
import type { Point } from './point-store.js';

const HOUR_START = NOW;
const series = aSeries({ region: 'eu' });

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3e9, max: 3e9 }).map((value) => value / 1000),
  fc.constantFrom(0, -0, 1, 0.5, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 31, -(2 ** 31), 0.1 + 0.2, 1e21, 5e-324),
);
const maybe = fc.option(number, { nil: null });
const requestId = fc.oneof(
  fc.uuid(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom('', '\ud800', '\u0000', 'ÿ', 'Ω'.repeat(400)),
);
const time = fc.oneof(
  fc.integer({ min: 0, max: 3_599_999 }),
  fc.constantFrom(0, 0.5, 1e-3, 3_599_999.999, 1234.000244140625),
);
const values = fc.option(
  fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 12 }), number, { minKeys: 1, maxKeys: 4 }),
  {
    nil: null,
  },
);
const point: fc.Arbitrary<Point> = fc
  .record({
    seq: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    time,
    requestId,
    latency: number,
    throughput: maybe,
    errorRate: maybe,
    gpuMemory: maybe,
    cpuUsage: maybe,
    memoryUsage: maybe,
    values,
  })
  .map(({ time: offset, seq, ...rest }) => aPoint(series, seq, HOUR_START + offset, rest));
const points = fc.oneof(
  fc.array(point, { minLength: 1, maxLength: 40 }),
  fc
    .array(fc.uuid(), { minLength: 1, maxLength: 40 })
    .map((ids) => ids.map((id, i) => aPoint(series, i + 1, HOUR_START + i, { requestId: id }))),
);

describe('a chunk', () => {
  it('gives back the points it was made of, bit by bit', () => {
    fc.assert(
      fc.property(points, (wanted) => {
        expectPoints(readAll(bodiesOf(wanted)), wanted);
      }),
      { numRuns: 500 },
    );
  });

  it('merged with others gives back all their points, sorted', () => {
    fc.assert(
      fc.property(
        fc.array(points, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 60 }),
        (batches, most) => {
          const chunks = batches.flatMap((batch) => bodiesOf(batch)).map((body) => Chunk.open(body));
          const merged = mergeChunks(chunks, most);
          for (const { count } of merged) expect(count).toBeLessThanOrEqual(most);
          const found = readAll(merged.map(({ body }) => ownBuffer(body)));
          const wanted = batches.flat().sort((a, b) => a.timestampMs - b.timestampMs || a.seq - b.seq);
          expect(found.map(keyOf)).toEqual(wanted.map(keyOf));
          const byText = (a: string, b: string): number => (a < b ? -1 : 1);
          expect(found.map(textOf).sort(byText)).toEqual(wanted.map(textOf).sort(byText));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that was cut or flipped is read as something or refused with a ChunkError, never worse', () => {
    const damage = fc.oneof(
      fc.record({ cut: fc.nat() }),
      fc.record({ at: fc.nat(), byte: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ header: fc.integer({ min: 0, max: 63 }), byte: fc.integer({ min: 1, max: 255 }) }),
    );
    fc.assert(
      fc.property(points, fc.boolean(), damage, (wanted, isPacked, how) => {
        const [plain] = bodiesOf(wanted);
        const whole = isPacked ? ownBuffer(mergeChunks([Chunk.open(plain)], 4096)[0].body) : plain;
        const bytes = new Uint8Array(whole.slice(0));
        if ('cut' in how) return readSafely(bytes.slice(0, how.cut % bytes.length).buffer);
        const at = 'header' in how ? how.header % bytes.length : how.at % bytes.length;
        bytes[at] ^= how.byte;
        return readSafely(bytes.buffer);
      }),
      { numRuns: 3000 },
    );
  });

  it('is never made of points of two hours', () => {
    const spread = [0, 3_599_999, 3_600_000, 7_200_000, 1].map((offset, i) =>
      aPoint(series, i + 1, HOUR_START + offset),
    );
    expect(bodiesOf(spread).map((body) => Chunk.open(body).count)).toEqual([3, 1, 1]);
  });

  it('finds custom metrics by name and does not take one for a built-in metric', () => {
    const [body] = bodiesOf([aPoint(series, 1, NOW, { latency: 3, values: { latency: 7, tokens: 9 } })]);
    const chunk = Chunk.open(body);
    expect(chunk.metric('latency')).toEqual(Float64Array.of(3));
    expect(chunk.custom('latency')).toEqual(Float64Array.of(7));
    expect(chunk.metric('tokens')).toEqual(Float64Array.of(9));
    expect(chunk.metric('throughput')).toBeNull();
    expect(chunk.metric('unknown')).toBeNull();
  });
});

function bodiesOf(batch: readonly Point[]): ArrayBuffer[] {
  const { buffer, chunks } = encodePoints(batch);
  return chunks.map(({ offset, bytes }) => buffer.slice(offset, offset + bytes));
}

function ownBuffer(body: Buffer): ArrayBuffer {
  const own = new Uint8Array(body.length);
  own.set(body);
  return own.buffer;
}

function readAll(bodies: readonly ArrayBuffer[]): Point[] {
  return bodies.flatMap((body) => {
    const chunk = Chunk.open(body);
    return Array.from({ length: chunk.count }, (_, i) => {
      const [latency, throughput, errorRate, gpuMemory, cpuUsage, memoryUsage] = METRICS.map((_name, metric) =>
        present(chunk.builtIn(metric)?.[i]),
      );
      const entries = chunk.names().map((name): [string, number | null] => [name, present(chunk.custom(name)?.[i])]);
      const some = entries.filter((entry): entry is [string, number] => entry[1] !== null);
      return aPoint(series, chunk.seqs()[i], chunk.times()[i], {
        requestId: chunk.requestId(i),
        latency: latency ?? NaN,
        throughput,
        errorRate,
        gpuMemory,
        cpuUsage,
        memoryUsage,
        values: some.length === 0 ? null : Object.fromEntries(some),
      });
    });
  });
}

function readSafely(body: ArrayBuffer): void {
  try {
    readAll([body]);
  } catch (error) {
    if (!(error instanceof ChunkError)) throw error;
  }
}

function present(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}

function keyOf({ timestampMs, seq }: Point): readonly number[] {
  return [timestampMs, seq];
}

/** textOf tells -0 from 0, and is the same whatever the order of the custom metrics. */
function textOf(one: Point): string {
  const custom = Object.entries(one.values ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = [one.timestampMs, one.seq, one.latency, one.throughput, one.errorRate, one.gpuMemory, one.cpuUsage];
  return JSON.stringify([
    one.requestId,
    [...numbers, one.memoryUsage].map(exactly),
    custom.map(([k, v]) => [k, exactly(v)]),
  ]);
}

function exactly(value: number | null): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function expectPoints(found: readonly Point[], wanted: readonly Point[]): void {
  expect(found.map(textOf)).toEqual(wanted.map(textOf));
}
