import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { aDay, NOW } from './point-samples.contract.js';
import type { Point, Position } from './point-store.js';
import { SqliteStore } from './sqlite-store.js';

const DAY = 24 * 3600_000;
const ROUNDS = 8;
const BATCH = 50;
const OPTIONS = {
  retention: { rawMs: 7 * DAY, minuteMs: 30 * DAY, hourMs: 400 * DAY },
  pace: { flushPoints: 300, flushMs: 0 },
};

/** WRITER writes batch after batch of late, unordered points whose latency is their seq, and prints each seq it was promised. */
const WRITER = `
  const [entry, file, options, now, batch] = process.argv.slice(2);
  const { SqliteStore } = await import(entry);
  const store = await SqliteStore.open({ file, ...JSON.parse(options), clock: () => Number(now) });
  const series = Array.from({ length: 5 }, (_, i) => ({
    key: 's' + i, project: 'shop', modelId: 'ranker', modelType: 'llm', tags: { shard: String(i) },
  }));
  let seq = store.lastSeq;
  const absent = { throughput: null, errorRate: null, gpuMemory: null, cpuUsage: null, memoryUsage: null, values: null };
  for (;;) {
    const points = [];
    for (let i = 0; i < Number(batch); i++) {
      seq++;
      const timestampMs = Number(now) - 1 - ((seq * 7919) % 7_200_000);
      points.push({ series: series[seq % 5], seq, timestampMs, requestId: 'r' + seq, latency: seq, ...absent });
    }
    await store.write({ points, drifts: [], records: [] });
    process.stdout.write(seq + '\\n');
  }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-crash-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a store killed at random moments loses no promised point and counts none twice', { timeout: 60_000 }, async () => {
  const file = join(folder, 'metrics.db');
  for (let round = 0; round < ROUNDS; round++) {
    const promised = await writeUntilKilled(file, 5 + ((round * 37) % 60));
    const store = await SqliteStore.open({ file, ...OPTIONS, clock: () => NOW });
    try {
      const stored = store.lastSeq;
      expect(stored % BATCH).toBe(0);
      expect(stored).toBeGreaterThanOrEqual(promised);
      const sum = (stored * (stored + 1)) / 2;
      for (const windowMs of [30_000, 60_000, 3600_000]) {
        for (const [stat, wanted] of [['count', stored] as const, ['sum', sum] as const]) {
          for (const groupBy of [[], ['shard']]) {
            const { groups } = await store.aggregate({ ...aDay(), metrics: ['latency'], stat, windowMs, groupBy });
            const values = groups.flatMap((group) => group.values.latency);
            expect(values.reduce<number>((total, value) => total + (value ?? 0), 0)).toBe(wanted);
          }
        }
      }
      const seqs = (await readAll(store)).map((point) => point.seq).sort((a, b) => a - b);
      expect(seqs).toEqual(Array.from({ length: stored }, (_, i) => i + 1));
    } finally {
      await store.close();
    }
  }
});

/** writeUntilKilled kills the writer in the midst of its work, after it has been promised so many batches. */
async function writeUntilKilled(file: string, batches: number): Promise<number> {
  const entry = new URL('../../dist/store/sqlite-store.js', import.meta.url).href;
  const program = join(folder, 'writer.mjs');
  writeFileSync(program, WRITER);
  const args = [program, entry, file, JSON.stringify(OPTIONS), `${NOW}`, `${BATCH}`];
  // A writer that stops answering ends by another signal, which the expectation below tells.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  const exited = once(child, 'exit');
  let promised = 0;
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    promised = Number(line);
    if (++lines === batches) child.kill('SIGKILL');
  }
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  return promised;
}

async function readAll(store: SqliteStore): Promise<Point[]> {
  const points: Point[] = [];
  let after: Position | undefined;
  for (;;) {
    const page = await store.recent(aDay(), 10_000, after);
    points.push(...page.items);
    if (!page.next) return points;
    after = page.next;
  }
}
