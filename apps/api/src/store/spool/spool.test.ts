import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FRAME_HEADER_BYTES } from './frame.js';
import { Spool, type SpoolOptions } from './spool.js';

const NOW = Date.UTC(2026, 2, 1, 12);
const LARGE = 1_000_000;

let folder: string;
let nowMs: number;
let torn: [segment: number, frames: number][];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-spool-'));
  nowMs = NOW;
  torn = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(given: Partial<SpoolOptions> = {}): Promise<Spool> {
  const onTorn = (segment: number, frames: number): void => void torn.push([segment, frames]);
  return Spool.open({ folder, maxBytes: LARGE, wallMs: () => nowMs, onTorn, ...given });
}

function line(number: number): string {
  return `m,model=a latency=${number} ${number}\n`;
}

async function append(spool: Spool, ...numbers: number[]): Promise<void> {
  for (const number of numbers) await spool.append(Buffer.from(line(number)), 1);
}

/** Takes and accepts everything, and answers the lines as one text. */
async function drain(spool: Spool, maxBytes = LARGE): Promise<string> {
  let text = '';
  for (let batch = await spool.take(maxBytes); batch; batch = await spool.take(maxBytes)) {
    text += Buffer.from(batch.lines).toString();
    await spool.accept(batch);
  }
  return text;
}

function segments(): string[] {
  return readdirSync(folder).toSorted();
}

describe('a spool', () => {
  it('gives back in order what was appended, and leaves no file behind', async () => {
    const spool = await open();
    expect(spool.isEmpty).toBe(true);
    await append(spool, 1, 2, 3);
    expect(spool.isEmpty).toBe(false);
    expect(await drain(spool)).toBe(line(1) + line(2) + line(3));
    expect(spool.isEmpty).toBe(true);
    expect(segments()).toEqual([]);
    await spool.close();
  });

  it('keeps what was taken and not accepted, also over a restart', async () => {
    const spool = await open();
    await append(spool, 1, 2);
    await spool.take(LARGE);
    expect((await spool.take(LARGE))?.points).toBe(2);
    await spool.close();
    const again = await open();
    await append(again, 3);
    expect(await drain(again)).toBe(line(1) + line(2) + line(3));
    await again.close();
  });

  it('joins small frames up to the size that is asked for, and gives a larger one alone', async () => {
    const spool = await open();
    await append(spool, 1, 2, 3);
    const size = line(1).length;
    expect(await spool.take(1)).toMatchObject({ frames: 1, lines: Buffer.from(line(1)) });
    expect(await spool.take(2 * size)).toMatchObject({ frames: 2, points: 2 });
    expect(await spool.take(3 * size)).toMatchObject({ frames: 3 });
    await spool.close();
  });

  it('begins another segment when one is full, and deletes each as soon as it is drained', async () => {
    const size = line(1).length + FRAME_HEADER_BYTES;
    const spool = await open({ segmentBytes: 2 * size });
    await append(spool, 1, 2, 3, 4, 5);
    expect(segments()).toHaveLength(3);
    for (const left of [2, 1, 0]) {
      const batch = await spool.take(LARGE);
      if (!batch) throw new Error('nothing to take');
      await spool.accept(batch);
      expect(segments()).toHaveLength(left);
      expect(spool.stats().bytes).toBe(left === 2 ? 3 * size : left * size);
    }
    await spool.close();
  });

  it('is a queue that loses, doubles and reorders nothing, whatever is asked of it', { timeout: 120_000 }, async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('append' as const) },
      { weight: 3, arbitrary: fc.integer({ min: 1, max: 200 }) },
      { weight: 1, arbitrary: fc.constant('reopen' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 60, max: 400 }), async (steps, bytes) => {
        const own = mkdtempSync(join(folder, 'run-'));
        let spool = await open({ folder: own, segmentBytes: bytes });
        const model: number[] = [];
        let next = 1;
        // What the segment that is half drained held: a restart brings it back.
        let accepted: number[] = [];
        for (const one of steps) {
          if (one === 'append') {
            model.push(next);
            await append(spool, next++);
          } else if (one === 'reopen') {
            await spool.close();
            spool = await open({ folder: own, segmentBytes: bytes });
            const extra = spool.stats().points - model.length;
            model.unshift(...accepted.slice(accepted.length - extra));
            accepted = [];
          } else {
            const batch = await spool.take(one);
            expect(batch === null).toBe(model.length === 0);
            if (!batch) continue;
            const taken = model.splice(0, batch.frames);
            expect(Buffer.from(batch.lines).toString()).toBe(taken.map(line).join(''));
            await spool.accept(batch);
            accepted.push(...taken);
          }
          expect(spool.stats().points).toBe(model.length);
          expect(spool.isEmpty).toBe(model.length === 0);
        }
        expect(await drain(spool, 100)).toBe(model.map(line).join(''));
        expect([spool.waitingBytes, spool.stats().points, spool.stats().bytes]).toEqual([0, 0, 0]);
        await spool.close();
      }),
      { numRuns: 60 },
    );
  });

  it('tells how much waits and how old the oldest of it is', async () => {
    const spool = await open();
    expect(spool.stats()).toMatchObject({ points: 0, bytes: 0, oldestMs: 0 });
    await append(spool, 1);
    nowMs += 1000;
    await spool.append(Buffer.from(line(2) + line(3)), 2);
    nowMs += 500;
    expect(spool.stats()).toMatchObject({ points: 3, oldestMs: 1500, appendedPoints: 3, drainedPoints: 0 });
    const batch = await spool.take(1);
    if (!batch) throw new Error('nothing to take');
    await spool.accept(batch);
    expect(spool.stats()).toMatchObject({ points: 2, oldestMs: 500, drainedPoints: 1 });
    await spool.close();
    nowMs -= 3_600_000; // a wall clock that was set back
    const again = await open();
    expect(again.stats()).toMatchObject({ points: 3, oldestMs: 0 });
    await again.close();
  });

  it('refuses at its bound and keeps everything it took; what is drained makes room', async () => {
    const size = line(1).length + FRAME_HEADER_BYTES;
    const spool = await open({ maxBytes: 2 * size, segmentBytes: size });
    await append(spool, 1, 2);
    await expect(append(spool, 3)).rejects.toMatchObject({ name: 'SpoolFault', code: 'SPOOL_FULL' });
    expect(spool.stats()).toMatchObject({ points: 2, bytes: 2 * size });
    const batch = await spool.take(1);
    if (!batch) throw new Error('nothing to take');
    await spool.accept(batch);
    await append(spool, 4);
    expect(await drain(spool)).toBe(line(2) + line(4));
    await spool.close();
    await expect(append(spool, 5)).rejects.toMatchObject({ code: 'SPOOL_CLOSED' });
  });
});

describe('a segment whose last frame is damaged', () => {
  const kept = line(1) + line(2);

  /** Writes three frames into one segment and answers its file, its bytes, and where the last frame begins. */
  async function threeFrames(): Promise<{ file: string; whole: Buffer; lastAt: number }> {
    const spool = await open();
    await append(spool, 1, 2, 3);
    await spool.close();
    const file = join(folder, String(segments()[0]));
    const whole = readFileSync(file);
    return { file, whole, lastAt: whole.length - line(3).length - FRAME_HEADER_BYTES };
  }

  /** Opens what lies on disk now: it must count the damage once, keep the others, and take more. */
  async function expectOneLost(): Promise<void> {
    torn = [];
    const spool = await open();
    expect(torn).toEqual([[1, 1]]);
    expect(spool.stats()).toMatchObject({ points: 2, tornFrames: 1 });
    await append(spool, 4);
    expect(await drain(spool)).toBe(kept + line(4));
    expect(spool.stats()).toMatchObject({ points: 0, bytes: 0, tornFrames: 1 });
    expect(spool.waitingBytes).toBe(0);
    await spool.close();
  }

  it('loses it alone, and says so, wherever it is cut', async () => {
    const { file, whole, lastAt } = await threeFrames();
    for (let end = lastAt + 1; end < whole.length; end++) {
      writeFileSync(file, whole.subarray(0, end));
      await expectOneLost();
    }
    writeFileSync(file, whole.subarray(0, lastAt));
    const spool = await open();
    expect(spool.stats()).toMatchObject({ points: 2, tornFrames: 0 });
    await spool.close();
  });

  it('loses it alone, and says so, whichever of its bytes is altered', async () => {
    const { file, whole, lastAt } = await threeFrames();
    for (let at = lastAt; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      writeFileSync(file, bytes);
      await expectOneLost();
    }
  });

  it('is removed when nothing in it is whole', async () => {
    const { file, whole } = await threeFrames();
    writeFileSync(file, whole.subarray(0, 10));
    const spool = await open();
    expect([spool.isEmpty, segments(), torn]).toEqual([true, [], [[1, 1]]]);
    await spool.close();
  });

  it('is found while the spool is open too', async () => {
    const spool = await open();
    await append(spool, 1, 2, 3);
    const file = join(folder, String(segments()[0]));
    truncateSync(file, 2 * (line(1).length + FRAME_HEADER_BYTES));
    expect(await drain(spool)).toBe(kept);
    expect(spool.stats()).toMatchObject({ points: 0, bytes: 0, tornFrames: 1 });
    expect(spool.waitingBytes).toBe(0);
    await spool.close();
  });
});
