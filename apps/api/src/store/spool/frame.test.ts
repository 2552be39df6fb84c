import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrames, encodeFrame, type Frame } from './frame.js';

const frames = fc.array(
  fc.record({
    lines: fc.string({ unit: 'binary', maxLength: 60 }).map((text) => Buffer.from(text)),
    points: fc.nat(10_000),
    atMs: fc.integer({ min: 0, max: 2 ** 45 }),
  }),
  { minLength: 1, maxLength: 6 },
);

function encodeAll(given: readonly Frame[]): Buffer {
  return Buffer.concat(given.map(encodeFrame));
}

function aFrame(lines: string, points = 1): Frame {
  return { lines: Buffer.from(lines), points, atMs: 1_772_366_400_000 };
}

describe('frames', () => {
  it('come back as they were, in order', () => {
    fc.assert(
      fc.property(frames, (given) => {
        expect(decodeFrames(encodeAll(given))).toEqual({ frames: given, torn: 0 });
      }),
    );
  });

  it('are none in no bytes', () => {
    expect(decodeFrames(Buffer.alloc(0))).toEqual({ frames: [], torn: 0 });
  });

  it('cost only themselves where any one byte is altered, wherever they lie', () => {
    const given = [aFrame('a x=1\n'), aFrame('b x=2\nc x=3\n', 2), aFrame('d x=4\n')];
    const whole = encodeAll(given);
    const ends = given.map((_, index) => encodeAll(given.slice(0, index + 1)).length);
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes.writeUInt8(bytes.readUInt8(at) ^ flip, at);
        const hit = ends.findIndex((end) => at < end);
        expect(decodeFrames(bytes)).toEqual({ frames: given.toSpliced(hit, 1), torn: 1 });
      }
    }
  });

  it('cost at most as many as the noise that was laid over them touches', () => {
    const noise = fc.record({ at: fc.nat(400), bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }) });
    fc.assert(
      fc.property(frames, noise, (given, { at, bytes }) => {
        const whole = encodeAll(given);
        const start = at % whole.length;
        whole.set(bytes.subarray(0, whole.length - start), start);
        let end = 0;
        const untouched = given.filter((frame) => {
          const begin = end;
          end += encodeFrame(frame).length;
          return end <= start || begin >= start + bytes.length;
        });
        const decoded = decodeFrames(whole);
        for (const frame of untouched) expect(decoded.frames).toContainEqual(frame);
        expect(decoded.torn).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are found behind zeros, as a file system leaves them after a loss of power', () => {
    const [first, last] = [aFrame('a x=1\n'), aFrame('b x=2\n')];
    const bytes = Buffer.concat([encodeFrame(first), Buffer.alloc(5000), encodeFrame(last)]);
    expect(decodeFrames(bytes)).toEqual({ frames: [first, last], torn: 1 });
  });
});
