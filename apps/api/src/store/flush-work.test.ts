import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@tidemark/sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBlocks } from './blocks.js';
import { encodePoints } from './encode-points.js';
import { FlushWork } from './flush-work.js';
import { aPoint, aSeries, HOUR, NOW } from './point-samples.contract.js';
import type { Point } from './point-store.js';
import { StoreWriter } from './store-writer.js';
import type { WorkNote } from './tended-work.js';

const RETENTION = { rawMs: 7 * 24 * HOUR, minuteMs: 30 * 24 * HOUR, hourMs: 400 * 24 * HOUR };
const PACE = { flushPoints: 1, flushMs: 0 };
const SERIES = aSeries();

let folder: string;
let writer: StoreWriter;
let flush: FlushWork;
let notes: WorkNote[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-flush-'));
  writer = StoreWriter.open({ file: join(folder, 'metrics.db'), retention: RETENTION, pace: PACE, nowMs: NOW });
  notes = [];
  flush = new FlushWork(writer, PACE, (note) => notes.push(note));
  // A clock on which every step takes longer than a slice may: each slice does the least that it can.
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 10));
});

afterEach(() => {
  vi.restoreAllMocks();
  writer.close();
  rmSync(folder, { recursive: true, force: true });
});

function points(count: number, fromSeq: number): Point[] {
  return Array.from({ length: count }, (_, i) => aPoint(SERIES, fromSeq + i, NOW - 1000 + i, { cpuUsage: 0.5 }));
}

function write(batch: readonly Point[]): void {
  const [known] = writer.state.series.keys();
  const message = { ...encodePoints(batch), series: [{ id: known ?? -1, names: [] }] };
  const newSeries = known === undefined ? [SERIES] : [];
  writer.write({ nowMs: NOW, points: message, newSeries, drifts: [], records: [] });
}

/** Runs slices until `isEnough`, and tells how many it took. */
function slices(isEnough: () => boolean): number {
  let count = 0;
  while (!isEnough()) {
    if (count++ > 1000) throw new Error('flushing does not end');
    flush.slice();
  }
  return count;
}

const isDone = (): boolean => writer.state.flushQueue.isEmpty;

/** The seqs in blocks, and how many commits there are. */
function stored(): { seqs: number[]; commits: number } {
  const database = Database.open({ file: join(folder, 'metrics.db') });
  try {
    const ids = database
      .prepare('SELECT id FROM blocks')
      .all([])
      .map((row) => Number(row.id));
    const seqs = readBlocks(database, ids).flatMap(({ chunk }) => [...chunk.seqs()]);
    return { seqs: seqs.sort((a, b) => a - b), commits: database.prepare('SELECT 1 FROM commits').all([]).length };
  } finally {
    database.close();
  }
}

const sequence = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('FlushWork', () => {
  it('packs a series in many slices, between which batches are committed, and moves each point once', () => {
    write(points(300, 1));
    expect(slices(() => writer.state.flushQueue.step === 'flushing')).toBeLessThan(3);
    flush.slice();
    write(points(100, 301));
    expect(stored()).toEqual({ seqs: [], commits: 2 });
    expect(slices(() => writer.state.flushQueue.step !== 'flushing')).toBeGreaterThan(3);
    expect(stored()).toEqual({ seqs: sequence(1, 300), commits: 2 });
    slices(isDone);
    expect(stored().commits).toBe(0);
    expect(stored().seqs).toEqual(sequence(1, 400));
    flush.slice();
    expect(stored().seqs).toHaveLength(400);
  });

  it('brings back no block that went while its points were packed anew', () => {
    write(points(100, 1));
    slices(isDone);
    write(points(100, 101));
    slices(() => writer.state.flushQueue.step === 'flushing');
    // As far as it comes without writing: by then the block of the first hundred is read.
    for (let i = 0; i < 10; i++) flush.slice();
    expect(stored().seqs).toEqual(sequence(1, 100));
    writer.rearrange((database) => database.prepare('DELETE FROM blocks').run([]));
    slices(isDone);
    expect(stored()).toEqual({ seqs: sequence(101, 200), commits: 0 });
  });

  it('keeps a commit aside that cannot be read, begins a damaged rollup anew, and tells of both', () => {
    write(points(100, 1));
    slices(isDone);
    writer.rearrange((database) => database.prepare(`UPDATE rollups SET body = x'00'`).run([]));
    write(points(50, 101));
    write(points(100, 151));
    writer.close();
    const input = { file: join(folder, 'metrics.db'), retention: RETENTION, pace: PACE, nowMs: NOW };
    const database = Database.open({ file: input.file });
    database.exec(`UPDATE commits SET body = zeroblob(100) WHERE id = (SELECT min(id) FROM commits)`);
    database.close();
    writer = StoreWriter.open(input);
    flush = new FlushWork(writer, PACE, (note) => notes.push(note));
    slices(isDone);
    expect(stored()).toEqual({ seqs: [...sequence(1, 100), ...sequence(151, 250)], commits: 0 });
    expect(notes).toEqual([
      { kind: 'damaged', what: 'commit', count: 1, points: 50, message: expect.any(String) },
      { kind: 'damaged', what: 'rollup', count: 4 },
    ]);
    const kept = writer.read((file) =>
      file.prepare('SELECT count, length(body) AS bytes FROM damaged_commits').all([]),
    );
    expect(kept.map(({ count, bytes }) => [Number(count), Number(bytes)])).toEqual([[50, 100]]);
  });
});
