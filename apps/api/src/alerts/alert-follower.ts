import type { Alert, Alerts } from '@tidemark/state';
import type { Clock } from '@tidemark/program';
import { type HeldAlert, isNewer } from './held-alert.js';

/** FollowerDeps are what is followed, and where it is taken in. */
export interface FollowerDeps {
  readonly alerts: Pick<Alerts, 'marks' | 'byIds'>;
  readonly clock: Clock;
  /** held is every alert that this instance holds, by key. */
  readonly held: ReadonlyMap<string, HeldAlert>;
  readonly keyOf: (alert: Pick<Alert, 'project' | 'modelId' | 'rule'>) => string;
  /** isBusy tells that an alert is being written here: what is read of it meanwhile may be older than that. */
  readonly isBusy: (key: string) => boolean;
  readonly learn: (alert: Alert) => void;
  /** ended is told of an alert that fires no longer. */
  readonly ended: (held: HeldAlert) => Promise<void>;
}

/** Looks that are further apart than this have left a time in which breaches elsewhere could not be heard of. */
const DEAF_AFTER_MS = 5_000;

/**
 * AlertFollower learns what other instances did to alerts, by one question for the marks of all that fire: that needs no
 * order of commits, misses none, and is its own recovery after an outage.
 */
export class AlertFollower {
  private lookedMs: number | null = null;

  constructor(private readonly deps: FollowerDeps) {}

  /** follow looks once. */
  async follow(): Promise<void> {
    const { alerts, clock, held, isBusy, keyOf } = this.deps;
    const startedMs = clock.steadyMs();
    const before = new Map(Array.from(held, ([key, alert]) => [key, { alert, version: alert.stored.version }]));
    const firing = new Set<string>();
    const changed: string[] = [];
    for (const mark of await alerts.marks()) {
      firing.add(mark.id);
      const known = held.get(keyOf(mark))?.stored;
      if (known?.id !== mark.id || isNewer(mark, known)) changed.push(mark.id);
    }
    for (const alert of changed.length > 0 ? await alerts.byIds(changed) : []) {
      if (alert.resolvedMs === null && !isBusy(keyOf(alert))) this.deps.learn(alert);
    }
    for (const [key, { alert, version }] of before) {
      const isSame = held.get(key) === alert && alert.stored.version === version && !isBusy(key);
      if (isSame && !firing.has(alert.stored.id)) await this.deps.ended(alert);
    }
    this.hear(startedMs);
  }

  /** A time without looks was no quiet time. */
  private hear(startedMs: number): void {
    const deafMs = this.lookedMs === null ? 0 : startedMs - this.lookedMs;
    if (deafMs > DEAF_AFTER_MS) for (const alert of this.deps.held.values()) alert.deaf(deafMs);
    this.lookedMs = startedMs;
  }
}
