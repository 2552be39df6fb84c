import type { StoreStats } from '../point-store.js';
import { StoreFault } from '../store-fault.js';
import { bucketName, findBucket } from './buckets.js';
import type { Generation } from './generation.js';
import type { InfluxCatalog } from './influx-catalog.js';
import type { InfluxConnection } from './influx-connection.js';
import { POINTS } from './names.js';
import { columnOf, numberOf } from './query-answer.js';
import { SHELVES } from './shelf.js';

/** Counting reads all raw points: gauges may be so old. */
const FRESH_MS = 5 * 60_000;

/** A gauge is not worth more of the server's time: a count that takes longer is given up, and the server ends it. */
const COUNT_MS = 2000;

/** InfluxStats counts what a database holds, or fails to, at most once in five minutes. */
export class InfluxStats {
  private last: { readonly stats: Promise<StoreStats>; readonly atMs: number } | null = null;

  constructor(
    private readonly connection: InfluxConnection,
    private readonly catalog: InfluxCatalog,
    private readonly source: { readonly generation: Generation; readonly database: string; readonly org: string },
  ) {}

  /** read rejects with a StoreFault, for as long as it would keep an answer: a server in trouble is not asked again. */
  read(): Promise<StoreStats> {
    const nowMs = performance.now();
    if (this.last === null || nowMs - this.last.atMs > FRESH_MS) this.last = { stats: this.inTime(), atMs: nowMs };
    return this.last.stats;
  }

  private async inTime(): Promise<StoreStats> {
    const signal = AbortSignal.timeout(COUNT_MS);
    try {
      return await this.count(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new StoreFault('timeout', `InfluxDB did not count its points within ${COUNT_MS} ms`, { cause: error });
    }
  }

  /** count asks one thing after the other. */
  private async count(signal: AbortSignal): Promise<StoreStats> {
    const [set] = await this.connection.query('raw', `SELECT count("latency") FROM "${POINTS}"`, signal);
    const points = set ? (numberOf(set.values[0]?.[columnOf(set, 'count')]) ?? 0) : 0;
    return { points, series: await this.catalog.count(signal), bytes: await this.bytes(signal) };
  }

  /** bytes is 0 on InfluxDB 3, which keeps its data in an object store and does not tell. */
  private async bytes(signal: AbortSignal): Promise<number> {
    const { generation, database } = this.source;
    if (generation === '3') return 0;
    if (generation === '2') return this.bytesOfBuckets(signal);
    const sets = await this.connection.query('raw', `SHOW STATS FOR 'shard'`, signal);
    return sets
      .filter(({ tags }) => tags.database === database)
      .reduce((sum, set) => sum + (numberOf(set.values[0]?.[columnOf(set, 'diskBytes')]) ?? 0), 0);
  }

  /** bytesOfBuckets reads gauges that 2.x sets every ten seconds: 0 at first, and where it was told to show none. */
  private async bytesOfBuckets(signal: AbortSignal): Promise<number> {
    const { database, org } = this.source;
    const names = SHELVES.map((shelf) => bucketName(database, shelf));
    const buckets = await Promise.all(names.map((name) => findBucket(this.connection, { org, name }, signal)));
    const text = await this.connection.api('GET', '/metrics', undefined, signal).catch(emptyIfRefused);
    return [...text.matchAll(/^storage_shard_disk_size\{bucket="(\w+)"[^}]*\} (\S+)$/gm)]
      .filter(([, bucket]) => buckets.includes(bucket))
      .reduce((sum, [, , bytes]) => sum + Number(bytes), 0);
  }
}

function emptyIfRefused(error: unknown): string {
  if (error instanceof StoreFault && (error.kind === 'refused' || error.kind === 'unauthorized')) return '';
  throw error;
}
