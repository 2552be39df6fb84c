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

/** InfluxStats counts what a database holds, at most once in five minutes. */
export class InfluxStats {
  private last: { readonly stats: Promise<StoreStats>; readonly atMs: number } | null = null;

  constructor(
    private readonly connection: InfluxConnection,
    private readonly catalog: InfluxCatalog,
    private readonly source: { readonly generation: Generation; readonly database: string; readonly org: string },
  ) {}

  async read(): Promise<StoreStats> {
    const nowMs = performance.now();
    if (this.last === null || nowMs - this.last.atMs > FRESH_MS) this.last = { stats: this.count(), atMs: nowMs };
    try {
      return await this.last.stats;
    } catch (error) {
      this.last = null;
      throw error;
    }
  }

  private async count(): Promise<StoreStats> {
    const [set] = await this.connection.query('raw', `SELECT count("latency") FROM "${POINTS}"`);
    const points = set ? (numberOf(set.values[0]?.[columnOf(set, 'count')]) ?? 0) : 0;
    return { points, series: await this.catalog.count(), bytes: await this.bytes() };
  }

  /** bytes is 0 on InfluxDB 3, which keeps its data in an object store and does not tell. */
  private async bytes(): Promise<number> {
    const { generation, database } = this.source;
    if (generation === '3') return 0;
    if (generation === '2') return this.bytesOfBuckets();
    const sets = await this.connection.query('raw', `SHOW STATS FOR 'shard'`);
    return sets
      .filter(({ tags }) => tags.database === database)
      .reduce((sum, set) => sum + (numberOf(set.values[0]?.[columnOf(set, 'diskBytes')]) ?? 0), 0);
  }

  /** bytesOfBuckets reads gauges that 2.x sets every ten seconds: 0 at first, and where it was told to show none. */
  private async bytesOfBuckets(): Promise<number> {
    const { database, org } = this.source;
    const names = SHELVES.map((shelf) => bucketName(database, shelf));
    const buckets = await Promise.all(names.map((name) => findBucket(this.connection, org, name)));
    const text = await this.connection.api('GET', '/metrics').catch(emptyIfRefused);
    return [...text.matchAll(/^storage_shard_disk_size\{bucket="(\w+)"[^}]*\} (\S+)$/gm)]
      .filter(([, bucket]) => buckets.includes(bucket))
      .reduce((sum, [, , bytes]) => sum + Number(bytes), 0);
  }
}

function emptyIfRefused(error: unknown): string {
  if (error instanceof StoreFault && (error.kind === 'refused' || error.kind === 'unauthorized')) return '';
  throw error;
}
