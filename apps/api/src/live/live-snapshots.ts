import type { Alert, LiveAnswer } from '@tidemark/types';
import { toStoredInference } from '../query/stored.js';
import type { Point } from '../store/point-store.js';
import type { LiveGroup } from './live-group.js';
import type { LiveLimits } from './live-limits.js';

/** SnapshotSource answers what is already there; `models` null stands for all models of the project. */
export interface SnapshotSource {
  /** recent answers the newest stored points, newest first, each of the models being heard where it has any. */
  readonly recent: (project: string, models: readonly string[] | null, limit: number) => Promise<readonly Point[]>;
  /** firing answers the alerts that fire now. */
  readonly firing: (project: string, models: readonly string[] | null) => readonly Alert[] | Promise<readonly Alert[]>;
}

/** Snapshot is the beginning of a group's story: deltas go on after `seq`. */
export interface Snapshot {
  readonly seq: number;
  /** How many items had matched the group by then. */
  readonly accounted: number;
  readonly frame: Buffer;
  /** Points in it, by their own number: some may be published only after `seq`, because they are stored before that. */
  readonly points: ReadonlySet<number> | null;
  /** Until when (steady ms) such a point is expected. */
  readonly pointsUntilMs: number;
  /** What could not be read, if anything. */
  readonly fault: unknown;
}

/** PendingSnapshot is a snapshot that several clients of a group share. */
export interface PendingSnapshot {
  readonly promise: Promise<Snapshot>;
  readonly start: SnapshotStart;
}

interface SnapshotStart {
  /** Steady ms. */
  takenMs: number;
  /** null until it is being taken. */
  seq: number | null;
}

const MAX_READS = 4;
const REUSE_MS = 1000;
/** A point is published some milliseconds after it was stored, unless an alert of its batch takes its time. */
const UNPUBLISHED_MS = 10_000;
const METRICS_BYTES = 128 * 1024;
const ALERTS_BYTES = 256 * 1024;

/**
 * LiveSnapshots takes snapshots for groups. Clients of a group that come within a second share one, and at most four are
 * read at once, so that a crowd that comes back after a restart does not overrun the store.
 */
export class LiveSnapshots {
  private reading = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly source: SnapshotSource,
    private readonly limits: Pick<LiveLimits, 'snapshotMetrics' | 'snapshotAlerts'>,
    private readonly steadyMs: () => number,
  ) {}

  /** take answers a snapshot of the group; with `fault` set, and less in it, when something could not be read. */
  take(group: LiveGroup): Promise<Snapshot> {
    if (group.snapshot && this.isFresh(group, group.snapshot.start)) return group.snapshot.promise;
    const start: SnapshotStart = { takenMs: this.steadyMs(), seq: null };
    group.snapshot = { start, promise: this.inTurn(() => this.read(group, start)) };
    return group.snapshot.promise;
  }

  /** resume answers what a client of the group is told that goes on from `seq`: the alerts that fire, and no metrics. */
  async resume(group: LiveGroup, seq: number): Promise<Snapshot> {
    const accounted = group.total - group.log.countAfter(group.subscription, seq);
    const alerts = await settle(this.alerts(group));
    const { items, truncated } = fit(alerts.items, this.limits.snapshotAlerts, ALERTS_BYTES);
    const frame = toFrame({ type: 'snapshot', seq, resumed: true, truncated, metrics: [], alerts: items });
    return { seq, accounted, frame, points: null, pointsUntilMs: 0, fault: alerts.fault };
  }

  private isFresh(group: LiveGroup, { seq, takenMs }: SnapshotStart): boolean {
    if (seq === null) return true;
    return this.steadyMs() - takenMs < REUSE_MS && group.log.gapSince(group.subscription, seq).kind === 'none';
  }

  private async inTurn<T>(read: () => Promise<T>): Promise<T> {
    if (this.reading < MAX_READS) this.reading++;
    else await new Promise<void>((resolve) => this.waiting.push(resolve)); // is handed the place of one that is done
    try {
      return await read();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.reading--;
    }
  }

  /** The place in the log is noted before anything is read: what is published meanwhile comes as deltas. */
  private async read(group: LiveGroup, start: SnapshotStart): Promise<Snapshot> {
    const { seq } = group.log;
    const accounted = group.total;
    start.seq = seq;
    start.takenMs = this.steadyMs();
    const [metrics, alerts] = await Promise.all([settle(this.metrics(group)), settle(this.alerts(group))]);
    const newest = metrics.items.slice(0, this.limits.snapshotMetrics);
    const shown = fit(newest.map(toStoredInference), newest.length, METRICS_BYTES);
    const firing = fit(alerts.items, this.limits.snapshotAlerts, ALERTS_BYTES);
    const fault = metrics.fault ?? alerts.fault;
    if (fault !== null) start.takenMs = -Infinity; // the next client tries again
    const truncated = shown.truncated || firing.truncated;
    return {
      seq,
      accounted,
      frame: toFrame({ type: 'snapshot', seq, resumed: false, truncated, metrics: shown.items, alerts: firing.items }),
      points: shown.items.length > 0 ? new Set(newest.slice(0, shown.items.length).map((point) => point.seq)) : null,
      pointsUntilMs: this.steadyMs() + UNPUBLISHED_MS,
      fault,
    };
  }

  private async metrics({ project, subscription, holders }: LiveGroup): Promise<readonly Point[]> {
    if (holders === 0 || !subscription.kinds.includes('inference')) return [];
    return this.source.recent(project, subscription.models && [...subscription.models], this.limits.snapshotMetrics);
  }

  private async alerts({ project, subscription, holders }: LiveGroup): Promise<readonly Alert[]> {
    if (holders === 0 || !subscription.kinds.includes('alert')) return [];
    return this.source.firing(project, subscription.models && [...subscription.models]);
  }
}

async function settle<T>(reading: Promise<readonly T[]>): Promise<{ items: readonly T[]; fault: unknown }> {
  try {
    return { items: await reading, fault: null };
  } catch (error) {
    return { items: [], fault: error ?? new Error('the read failed without a reason') };
  }
}

/** fit takes as many of the first items as the bounds allow. */
function fit<T>(items: readonly T[], maxItems: number, maxBytes: number): { items: readonly T[]; truncated: boolean } {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    bytes += JSON.stringify(item).length;
    if (count === maxItems || bytes > maxBytes) break;
    count++;
  }
  return { items: items.slice(0, count), truncated: count < items.length };
}

function toFrame(answer: LiveAnswer): Buffer {
  return Buffer.from(JSON.stringify(answer));
}
