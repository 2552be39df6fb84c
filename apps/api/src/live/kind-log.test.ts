import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KindLog } from './kind-log.js';

interface Item {
  readonly model: string;
  readonly bytes: number;
}

function open(keepItems: number, keepBytes: number) {
  const written: Item[] = [];
  const spec = {
    modelOf: (item: Item) => item.model,
    pointSeqOf: () => 7,
    bytesOf: (item: Item) => item.bytes,
    toWire: (item: Item) => {
      written.push(item);
      return { model: item.model };
    },
  };
  return { log: new KindLog(spec, { keepItems, keepBytes }), written };
}

describe('the log of a kind', () => {
  it('holds the newest items that its bounds allow, against a model of it', () => {
    const step = fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          do: fc.constant('push' as const),
          gap: fc.integer({ min: 1, max: 5 }),
          bytes: fc.nat(40),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant('pass' as const),
          gap: fc.integer({ min: 1, max: 50 }),
          bytes: fc.constant(0),
        }),
      },
    );
    const bounds = fc.record({
      keepItems: fc.integer({ min: 1, max: 12 }),
      keepBytes: fc.integer({ min: 1, max: 200 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), bounds, (script, { keepItems, keepBytes }) => {
        const { log } = open(keepItems, keepBytes);
        let held: { seq: number; bytes: number }[] = [];
        let [seq, floor, evicted] = [0, 0, 0];
        for (const { do: what, gap, bytes } of script) {
          seq += gap;
          if (what === 'pass') {
            evicted += held.length + gap;
            held = [];
            floor = seq;
            log.pass(gap, seq);
            continue;
          }
          log.push(seq, { model: 'm', bytes });
          held.push({ seq, bytes });
          const total = () => held.reduce((sum, item) => sum + item.bytes, 0);
          while (held.length > keepItems || (held.length > 1 && total() > keepBytes)) {
            floor = held.shift()?.seq ?? floor;
            evicted++;
          }
        }
        expect(Array.from({ length: log.length }, (_, i) => log.seqAt(i))).toEqual(held.map((item) => item.seq));
        expect([log.floorSeq, log.evicted]).toEqual([floor, evicted]);
        for (let at = 0; at <= seq + 1; at++) {
          expect(log.firstAfter(at)).toBe(held.filter((item) => item.seq <= at).length);
        }
      }),
    );
  });

  it('writes an item as JSON once, and only when it is asked for', () => {
    const { log, written } = open(10, 1000);
    log.push(1, { model: 'a', bytes: 1 });
    log.push(2, { model: 'b', bytes: 1 });
    expect(written).toEqual([]);
    expect([log.textAt(1), log.textAt(1), log.modelAt(1), log.pointSeqAt(1)]).toEqual([
      '{"model":"b"}',
      '{"model":"b"}',
      'b',
      7,
    ]);
    expect(written).toEqual([{ model: 'b', bytes: 1 }]);
  });

  it('keeps an item larger than its bounds until the next one comes', () => {
    const { log } = open(10, 100);
    log.push(1, { model: 'a', bytes: 500 });
    expect(log.length).toBe(1);
    log.push(2, { model: 'b', bytes: 10 });
    expect([log.length, log.seqAt(0)]).toEqual([1, 2]);
  });
});
