import type { Client } from './client.js';
import type { SentBatch } from './ingest-load.js';
import { OwnMetrics } from './own-metrics.js';
import type { Platform } from './platform.js';
import { waitFor } from './wait-for.js';

/** drained waits until no point waits on a disk for InfluxDB, so that reads see all of them; alone none ever does. */
export function drained(platform: Pick<Platform, 'instances'>, key?: string): Promise<boolean> {
  const isEmpty = async (): Promise<boolean> => (await OwnMetrics.of(platform, key)).sum('tidemark_spool_points') === 0;
  return waitFor('the spools to be drained', isEmpty, 120_000);
}

/** Hundreds of thousands of points, on a machine that may have other work. */
const EXPORT_MS = 300_000;

/** storedIds reads back the request id of every point that is stored, as often as it is there. */
export async function storedIds(api: Client): Promise<string[]> {
  const answer = await api.get('export/inference?format=ndjson', { timeoutMs: EXPORT_MS });
  if (answer.status !== 200) throw new Error(`the export answered ${answer.status}`);
  const lines = answer.text.split('\n').filter((line) => line !== '');
  return lines.map((line) => String(JSON.parse(line).request_id));
}

/** Reckoning compares what was sent with what is stored, by batch; each list should be empty. */
export interface Reckoning {
  /** Acknowledged, and a point of it is missing. */
  readonly lost: readonly string[];
  /** Some points are there and others not. */
  readonly torn: readonly string[];
  /** A point of it is there more than once. */
  readonly doubled: readonly string[];
  /** Answered as not stored, and a point of it is there. */
  readonly denied: readonly string[];
  readonly points: number;
}

/** reckon compares batches with the request ids that are stored. */
export function reckon(batches: readonly SentBatch[], ids: readonly string[]): Reckoning {
  const found = new Map<string, number>();
  for (const id of ids) found.set(id, (found.get(id) ?? 0) + 1);
  const counted = batches.map(({ id, size, fate }) => {
    const counts = Array.from({ length: size }, (_, i) => found.get(`${id}#${i}`) ?? 0);
    const present = counts.filter((count) => count > 0).length;
    return { id, size, fate, present, isDoubled: counts.some((count) => count > 1) };
  });
  const idsOf = (wrong: (batch: (typeof counted)[number]) => boolean): string[] =>
    counted.filter(wrong).map(({ id }) => id);
  return {
    lost: idsOf(({ fate, present, size }) => fate === 'acknowledged' && present < size),
    torn: idsOf(({ present, size }) => present > 0 && present < size),
    doubled: idsOf(({ isDoubled }) => isDoubled),
    denied: idsOf(({ fate, present }) => fate === 'refused' && present > 0),
    points: ids.length,
  };
}

/** NOTHING_WRONG is a reckoning without a fault. */
export const NOTHING_WRONG = { lost: [], torn: [], doubled: [], denied: [] } as const;
