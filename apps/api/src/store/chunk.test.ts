import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chunk } from './chunk.js';
import { ChunkError } from './chunk-error.js';
import { METRICS } from './chunk-layout.js';
import { openCommit } from './commit.js';
import { encodePoints } from './encode-points.js';
import { gatherPoints, joinPoints, slicePoints } from './gathered-points.js';
import { packPoints } from './pack-points.js';
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
        expectPoints(readAll([bodyOf(wanted)]), wanted);
      }),
      { numRuns: 500 },
    );
  });

  it('gathered with others, joined, cut and packed gives back all their points, sorted', () => {
    const batches = fc.array(points, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(batches, batches, fc.nat({ max: 100 }), (some, others, cut) => {
        const [a, b] = [some, others].map((list) =>
          gatherPoints(list.map((batch) => ({ chunk: Chunk.open(bodyOf(batch)), rows: null }))),
        );
        const joined = joinPoints(a, b);
        const count = joined.times.length;
        const parts = [slicePoints(joined, 0, cut % count), slicePoints(joined, cut % count, count)];
        const found = readAll(parts.filter(({ times }) => times.length > 0).map((part) => ownBuffer(packPoints(part))));
        const wanted = [...some, ...others].flat().sort((x, y) => x.timestampMs - y.timestampMs || x.seq - y.seq);
        expect(found.map(keyOf)).toEqual(wanted.map(keyOf));
        const byText = (x: string, y: string): number => (x < y ? -1 : 1);
        expect(found.map(textOf).sort(byText)).toEqual(wanted.map(textOf).sort(byText));
      }),
      { numRuns: 300 },
    );
  });

  it('gives its points to the series that they belong to', () => {
    const shards = ['a', 'b', 'c'].map((shard) => aSeries({ shard }));
    const mixed = Array.from({ length: 100 }, (_, i) => aPoint(shards[(i * 7) % 3], i + 1, NOW - i, { values: { i } }));
    // The same series as another object is still the same series.
    mixed.push(aPoint(aSeries({ shard: 'a' }), 101, NOW));
    const encoded = encodePoints(mixed);
    expect(encoded.series.map(({ series: one }) => one)).toEqual([0, 1, 2].map((i) => shards[(i * 7) % 3]));
    const { chunk, owners } = openCommit(1, encoded.buffer);
    for (const [place, { series: one }] of encoded.series.entries()) {
      const rows = [...owners.keys()].filter((row) => owners[row] === place);
      const wanted = mixed.filter((point) => point.series.key === one.key).map((point) => point.seq);
      const found = gatherPoints([{ chunk, rows }]);
      expect([...found.seqs].sort((x, y) => x - y)).toEqual(wanted);
    }
  });

  it('that was cut or flipped is read as something or refused with a ChunkError, never worse', () => {
    const damage = fc.oneof(
      fc.record({ cut: fc.nat() }),
      fc.record({ at: fc.nat(), byte: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ header: fc.integer({ min: 0, max: 63 }), byte: fc.integer({ min: 1, max: 255 }) }),
    );
    fc.assert(
      fc.property(points, fc.boolean(), damage, (wanted, isPacked, how) => {
        const plain = bodyOf(wanted);
        const whole = isPacked
          ? ownBuffer(packPoints(gatherPoints([{ chunk: Chunk.open(plain), rows: null }])))
          : plain;
        const bytes = new Uint8Array(whole.slice(0));
        if ('cut' in how) return readSafely(bytes.slice(0, how.cut % bytes.length).buffer);
        const at = 'header' in how ? how.header % bytes.length : how.at % bytes.length;
        bytes[at] ^= how.byte;
        return readSafely(bytes.buffer);
      }),
      { numRuns: 3000 },
    );
  });

  it('finds custom metrics by name and does not take one for a built-in metric', () => {
    const body = bodyOf([aPoint(series, 1, NOW, { latency: 3, values: { latency: 7, tokens: 9 } })]);
    const chunk = Chunk.open(body);
    expect(chunk.metric('latency')).toEqual(Float64Array.of(3));
    expect(chunk.custom('latency')).toEqual(Float64Array.of(7));
    expect(chunk.metric('tokens')).toEqual(Float64Array.of(9));
    expect(chunk.customsAt(0)).toEqual([
      { name: 'latency', value: 7 },
      { name: 'tokens', value: 9 },
    ]);
    expect(chunk.metric('throughput')).toBeNull();
    expect(chunk.metric('unknown')).toBeNull();
  });
});

function bodyOf(batch: readonly Point[]): ArrayBuffer {
  return encodePoints(batch).buffer;
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
      const some = chunk.customsAt(i).map(({ name, value }): [string, number] => [name, value]);
      for (const [name] of some) chunk.custom(name);
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
