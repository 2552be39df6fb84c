import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteCursor, ByteWriter } from './byte-cursor.js';
import { DDSketch } from './ddsketch.js';
import { SketchFormatError } from './sketch-format-error.js';

const value = fc.double({ noNaN: true, noDefaultInfinity: true });
const count = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 45 }));
const entries = fc.array(fc.tuple(value, count), { maxLength: 100 });

function sketchOf(list: readonly (readonly [number, number])[]): DDSketch {
  const sketch = new DDSketch();
  for (const [each, times] of list) sketch.add(each, times);
  return sketch;
}

/** outcome is what reading bytes came to: the sketch, or the reason of the one error that is documented. */
function outcome(bytes: Uint8Array): DDSketch | string {
  try {
    return DDSketch.fromBytes(bytes);
  } catch (error) {
    if (error instanceof SketchFormatError) return error.reason;
    throw error;
  }
}

/** sketchBytes writes version 1 by hand: valid totals for `total` values of 1, then whatever the stores are. */
function sketchBytes(write: (writer: ByteWriter) => void, total = 1): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(1);
  for (const number of total > 0 ? [0.01, total, 1, 1] : [0.01, 0, Infinity, -Infinity]) writer.float64(number);
  writer.varint(2048);
  writer.varint(0);
  write(writer);
  return writer.take();
}

function store(writer: ByteWriter, runs: number, low: number, span: number, rest: readonly number[]): void {
  writer.varint(runs);
  writer.signed(low);
  writer.varint(span);
  for (const byte of rest) writer.byte(byte);
}

/** hugeStore is one bin with 2^53 - 1 values. */
function hugeStore(writer: ByteWriter): void {
  store(writer, 1, 5, 1, [1]);
  writer.signed(Number.MAX_SAFE_INTEGER);
}

describe('the bytes of a sketch', () => {
  test('read back to the same sketch', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const sketch = sketchOf(list);
        const read = DDSketch.fromBytes(sketch.toBytes());
        expect(read.toBytes()).toEqual(sketch.toBytes());
        expect([read.count, read.sum, read.min, read.max]).toEqual([sketch.count, sketch.sum, sketch.min, sketch.max]);
        for (const q of [0, 0.3, 0.5, 0.99, 1]) expect(read.quantile(q)).toBe(sketch.quantile(q));
      }),
      { numRuns: 500 },
    );
  });

  test('carry the options along', () => {
    const sketch = new DDSketch({ relativeAccuracy: 0.02, maxBins: 64 });
    sketch.add(3);
    const read = DDSketch.fromBytes(sketch.toBytes());
    read.merge(sketch);
    for (let power = 0; power < 300; power++) {
      read.add(2 ** power);
      sketch.add(2 ** power);
    }
    sketch.add(3);
    expect(read.toBytes()).toEqual(sketch.toBytes());
  });

  test('stay small: one or two bytes a bin over about 40, whatever the counts', () => {
    const even = sketchOf(Array.from({ length: 100 }, (_, i) => [1.0202 ** i, 50_000 + ((i * 37) % 60)] as const));
    expect(even.toBytes().length).toBeLessThan(160);
    const sparse = sketchOf([
      [1e-9, 1],
      [1e9, 1],
      [-1e300, 1],
    ]);
    expect(sparse.toBytes().length).toBeLessThan(60);
    expect(new DDSketch().toBytes().length).toBeLessThan(40);
  });

  test('may lie inside a larger buffer', () => {
    const bytes = sketchOf([[4, 2]]).toBytes();
    const larger = new Uint8Array(bytes.length + 20).fill(255);
    larger.set(bytes, 7);
    expect(DDSketch.fromBytes(larger.subarray(7, 7 + bytes.length)).toBytes()).toEqual(bytes);
  });
});

describe('bytes that are not a sketch', () => {
  const valid = sketchOf([
    [1, 3],
    [1.5, 70],
    [40, 1],
    [-2, 9_000],
    [0, 2],
  ]).toBytes();

  test('cut short anywhere are called truncated', () => {
    for (let length = 0; length < valid.length; length++) expect(outcome(valid.subarray(0, length))).toBe('truncated');
  });

  test('of another version are called that', () => {
    for (const version of [0, 2, 255])
      expect(outcome(Uint8Array.of(version, ...valid.subarray(1)))).toBe('unknown_version');
  });

  test('followed by others are corrupt', () => {
    expect(outcome(Uint8Array.of(...valid, 0))).toBe('corrupt');
  });

  test.each<[string, Uint8Array]>([
    ['a count below zero', sketchBytes((w) => (store(w, 1, 5, 3, [3, 2, 5, 10]), w.varint(0)))],
    ['an empty first bin', sketchBytes((w) => (store(w, 1, 5, 2, [2, 0, 2]), w.varint(0)))],
    ['an empty last bin', sketchBytes((w) => (store(w, 1, 5, 2, [2, 2, 3]), w.varint(0)))],
    ['a run longer than the span', sketchBytes((w) => (store(w, 1, 5, 1, [2, 2, 0]), w.varint(0)))],
    ['a span longer than the runs', sketchBytes((w) => (store(w, 1, 5, 9, [2, 2, 0]), w.varint(0)))],
    ['an empty run', sketchBytes((w) => (store(w, 1, 5, 0, [0]), w.varint(0)))],
    ['a bin past the largest float64', sketchBytes((w) => (store(w, 1, 1e6, 1, [1, 2]), w.varint(0)))],
    ['a bin below the smallest magnitude', sketchBytes((w) => (store(w, 1, -1e6, 1, [1, 2]), w.varint(0)))],
    ['an integer past 2^53', sketchBytes((w) => (store(w, 1, 5, 1, [1, ...Array(8).fill(255), 1]), w.varint(0)))],
    ['an integer of 2^56 - 1', sketchBytes((w) => [...Array(7).fill(255), 127].forEach((b) => w.byte(b)))],
    ['a count past 2^53 in all', sketchBytes((w) => (hugeStore(w), hugeStore(w)))],
    ['an empty run before another', sketchBytes((w) => (store(w, 2, 5, 3, [0, 2, 1, 2]), w.varint(0)))],
    ['an integer padded without end', sketchBytes((w) => [128, ...Array(5000).fill(128)].forEach((b) => w.byte(b)))],
    ['values without a minimum', sketchBytes((w) => (store(w, 1, 5, 1, [1, 2]), w.varint(0)), 0)],
    ['a minimum without values', sketchBytes((w) => (w.varint(0), w.varint(0)))],
  ])('are corrupt: %s', (_name, bytes) => {
    expect(outcome(bytes)).toBe('corrupt');
  });

  test('that claim bins by the billion are refused without building them', () => {
    const runs = sketchBytes((w) => store(w, 2 ** 52, 0, 2 ** 52, [1, 2]));
    expect(outcome(runs)).toBe('truncated');
    const gap = sketchBytes(
      (w) => (store(w, 2, 0, 2 ** 40 + 2, [1, 2]), w.varint(2 ** 40), w.byte(1), w.byte(0), w.byte(0)),
    );
    expect(outcome(gap)).toBe('corrupt');
  });

  test('leave the sketch they were to be merged into as it was', () => {
    const sketch = sketchOf([[7, 7]]);
    const before = sketch.toBytes();
    for (let length = 0; length < valid.length; length++) {
      expect(() => sketch.mergeBytes(valid.subarray(0, length))).toThrow(SketchFormatError);
    }
    expect(() => sketch.mergeBytes(sketchBytes((w) => (store(w, 1, 1e6, 1, [1, 2]), w.varint(0))))).toThrow(
      SketchFormatError,
    );
    expect(sketch.toBytes()).toEqual(before);
  });

  test('a hundred thousand mutated sketches either read as a sound sketch or raise the documented error', () => {
    const seen = new Map<string, number>();
    const note = (bytes: Uint8Array): void => {
      const result = outcome(bytes);
      const kind = typeof result === 'string' ? result : 'read';
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (typeof result === 'string') return;
      const median = result.quantile(0.5);
      if (result.count > 0) expect(median).toSatisfy((m: number) => Number.isFinite(m) && m >= (result.min ?? NaN));
      expect(outcome(result.toBytes())).toBeInstanceOf(DDSketch);
    };
    const edit = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'insert', 'delete'));
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
    const bases = fc.sample(entries, { numRuns: 50, seed: 1 }).map((list) => sketchOf(list).toBytes());
    fc.assert(
      fc.property(fc.constantFrom(...bases), edits, (base, changes) => note(mutate(base, changes))),
      { numRuns: 90_000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), note), { numRuns: 10_000 });
    for (const kind of ['read', 'truncated', 'unknown_version', 'corrupt']) expect(seen.get(kind)).toBeGreaterThan(0);
  }, 60_000);
});

test('integers up to 2^53 - 1 of both signs survive their bytes', () => {
  const magnitude = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(63, 64, 127, 128, Number.MAX_SAFE_INTEGER));
  fc.assert(
    fc.property(magnitude, fc.boolean(), (unsigned, negative) => {
      const signed = negative && unsigned > 0 ? -unsigned : unsigned;
      const writer = new ByteWriter();
      writer.varint(unsigned);
      writer.signed(signed);
      const cursor = new ByteCursor(writer.take(), 0);
      expect([cursor.varint(), cursor.signed()]).toEqual([unsigned, signed]);
    }),
    { numRuns: 1000 },
  );
});

function mutate(base: Uint8Array, changes: readonly (readonly [number, number, string])[]): Uint8Array {
  const bytes = [...base];
  for (const [where, byte, kind] of changes) {
    const at = where % (bytes.length + 1);
    if (kind === 'set') bytes[Math.min(at, bytes.length - 1)] = byte;
    else bytes.splice(at, kind === 'delete' ? 1 : 0, ...(kind === 'insert' ? [byte] : []));
  }
  return Uint8Array.from(bytes);
}
