import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aBatch, aPoint, aSeries, HOUR, MINUTE, NOW } from '../point-samples.contract.js';
import type { DriftPoint } from '../point-store.js';
import { BatchEncoder } from './encode-batch.js';
import { anyText } from './rig/any-text.js';
import { type ParsedLine, parseLine } from './rig/parse-line.js';
import { scanLines } from './scan-lines.js';
import { unescapeTagValue, unescapeText } from './text-escape.js';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const drift: DriftPoint = {
  project: 'shop, "a" b=c',
  seq: 7,
  timestampMs: NOW,
  modelId: 'ranker\\',
  driftType: 'data',
  severity: 'low',
  confidence: -0,
  tags: { 'a b': '=,"\\' },
};

function parse(lines: Uint8Array): ParsedLine[] {
  const text = Buffer.from(lines).toString('utf8');
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n').map(parseLine);
}

describe('BatchEncoder', () => {
  it('writes any point as one line that holds all of it', () => {
    const anyPoint = fc
      .tuple(
        fc.dictionary(anyText, anyText, { maxKeys: 3 }),
        fc.dictionary(anyText, finite, { maxKeys: 3 }),
        fc.tuple(anyText, anyText, anyText),
        fc.nat(2 ** 31),
        finite,
      )
      .map(([tags, values, [project, model, requestId], seq, latency]) =>
        aPoint(aSeries(tags, project, model), seq, NOW + (seq % HOUR), { requestId, latency, values }),
      );
    fc.assert(
      fc.property(anyPoint, (point) => {
        const [line] = parse(new BatchEncoder(3, () => NOW).encode(aBatch([point])));
        const { series } = point;
        const tags = Object.entries(line.tags).map(([key, value]) => [unescapeText(key), unescapeTagValue(value)]);
        const user = tags.filter(([key]) => key.startsWith('t.')).map(([key, value]) => [key.slice(2), value]);
        const byName = ([a]: string[], [b]: string[]): number => (a < b ? -1 : 1);
        expect(user.sort(byName)).toEqual(Object.entries(series.tags).sort(byName));
        const own = Object.fromEntries(tags.filter(([key]) => !key.startsWith('t.')));
        expect(own).toMatchObject({ model: series.modelId, project: series.project, writer: '3' });
        expect(unescapeText(String(line.fields.request_id))).toBe(point.requestId);
        expect(line.fields.seq).toBe(point.seq);
        expect(Object.is(line.fields.latency, point.latency)).toBe(true);
        for (const [key, value] of Object.entries(line.fields)) {
          if (key.startsWith('v.')) expect(point.values?.[unescapeText(key.slice(2))]).toBe(value);
        }
        expect(BigInt(line.time)).toBe(BigInt(point.timestampMs) * 1_000_000n + BigInt(point.seq % 1_000_000));
      }),
      { numRuns: 2000 },
    );
  });

  it('writes lines whose points can be told from their ends, also those of another writer', () => {
    const points = [5, 1, 2, 3].map((seq) =>
      aPoint(aSeries({ 'a b': 'c,=d\\' }), seq, NOW + seq * MINUTE, { requestId: 'x=1i 5', values: { 'y =': 1 } }),
    );
    const lines = new BatchEncoder(31, () => NOW).encode({ points, drifts: [drift], records: [] });
    const other = new BatchEncoder(2, () => NOW).encode(aBatch(points.slice(0, 1)));
    const content = scanLines(Buffer.concat([lines, other]));
    expect(content.points.toString()).toBe('31:1-3,5;2:5');
    expect(content.drifts.toString()).toBe('31:7');
    const minute = NOW / MINUTE;
    expect(content.minutes.toString()).toBe(`${minute + 1}-${minute + 3},${minute + 5}`);
    expect(content.newestMs).toBe(NOW + 5 * MINUTE);
  });

  it('keeps text of any kind in drift points and records', () => {
    const record = { project: 'p"', key: 'k\n', fingerprint: 'f', status: 201, body: '{"a":"\\n%"}\n', createdMs: NOW };
    const lines = parse(new BatchEncoder(0, () => NOW).encode({ points: [], drifts: [drift], records: [record] }));
    expect(unescapeText(String(lines[0].fields.tags))).toBe(JSON.stringify(drift.tags));
    expect(Object.is(lines[0].fields.confidence, -0)).toBe(true);
    expect(unescapeText(String(lines[1].fields.body))).toBe(record.body);
    expect(unescapeText(String(lines[1].fields.key))).toBe(record.key);
  });

  it('takes no memory for large points that do not come', () => {
    const encoder = new BatchEncoder(0, () => NOW);
    const batchOf = (count: number, requestId: string) =>
      aBatch(Array.from({ length: count }, (_, seq) => aPoint(series, seq, NOW, { requestId })));
    const series = aSeries({ a: 'b' });
    encoder.encode(batchOf(101, 'x'.repeat(20_000)));
    const lines = encoder.encode(batchOf(5000, 'short'));
    expect(lines.buffer.byteLength).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(parse(lines)).toHaveLength(5001);
    encoder.encode(batchOf(101, 'x'.repeat(20_000)));
    const large = encoder.encode(batchOf(600, 'x'.repeat(20_000)));
    expect(large.length).toBeGreaterThan(12_000_000);
    expect(scanLines(large).points.toString()).toBe('0:0-599');
  });

  it('announces a series and its custom values once an hour, and in each batch until one is kept', () => {
    let nowMs = NOW;
    const encoder = new BatchEncoder(0, () => nowMs);
    const series = aSeries({ a: 'b' });
    let seq = 0;
    const begun = (values: Record<string, number>) => {
      const batch = aBatch([aPoint(series, ++seq, nowMs, { values })]);
      const names = parse(encoder.encode(batch)).map(({ measurement, tags }) => tags.name ?? measurement);
      return { names: names.slice(1), keep: () => encoder.noteKept(batch) };
    };
    const announced = (values: Record<string, number>): string[] => {
      const { names, keep } = begun(values);
      keep();
      return names;
    };
    const lost = begun({ tokens: 1 });
    expect(lost.names).toEqual(['series', 'tokens']);
    expect(announced({ tokens: 1 })).toEqual(['series', 'tokens']);
    expect(announced({ tokens: 2 })).toEqual([]);
    expect(announced({ tokens: 2, score: 1 })).toEqual(['score']);
    nowMs += HOUR;
    const late = begun({ score: 1 });
    expect(late.names).toEqual(['series', 'score']);
    nowMs += HOUR;
    const beside = begun({ cost: 1 });
    expect(beside.names).toEqual(['series', 'score', 'cost']);
    late.keep();
    expect(announced({ score: 1 })).toEqual(['series', 'score']);
    expect(announced({ cost: 1, score: 1 })).toEqual(['cost']);
  });
});
