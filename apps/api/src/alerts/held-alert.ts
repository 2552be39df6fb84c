import type { Alert, AlertCounts, AlertState } from '@tidemark/state';
import type { Clock } from '@tidemark/program';
import type { Breach } from '../rules/evaluate.js';
import type { AlertTiming } from '../rules/model-directory.js';

/**
 * HeldAlert is a firing alert in memory: as the database had it when this instance last saw it, and with what this
 * instance has counted since. Both are kept, because several instances count: each adds to the row what it alone has seen.
 */
export class HeldAlert {
  private shown: Alert;
  /** By the clock that does not jump: when a breach was last seen here or heard of from elsewhere. */
  private lastBreachMs: number;
  private lastNotifiedMs: number;
  /** The last breach that was counted here. */
  private breach: Breach | null = null;
  /** Settles when the counts that are on their way to the database are there, or are not. */
  saving: Promise<unknown> | null = null;

  constructor(
    private known: Alert,
    private readonly clock: Clock,
  ) {
    this.shown = known;
    this.lastBreachMs = clock.steadyMs();
    this.lastNotifiedMs = this.steadyTimeOf(known.lastNotifiedMs);
  }

  /** stored is the alert as the database had it. */
  get stored(): Alert {
    return this.known;
  }

  /** alert is the alert with its counts as of now. */
  get alert(): Alert {
    return this.shown;
  }

  /** own is how many breaches were counted here and are not known to be in the database. */
  get own(): number {
    return this.shown.occurrences - this.known.occurrences;
  }

  /** count takes in a breach that is no event. */
  count(next: AlertState, breach: Breach): void {
    this.shown = { ...this.shown, ...next };
    this.breach = breach;
    this.lastBreachMs = this.clock.steadyMs();
  }

  /** counts are what is to be added to the row. */
  counts(): AlertCounts {
    const { id, value, peak, lastBreachMs } = this.shown;
    return { id, occurrences: this.own, value, peak, lastBreachMs };
  }

  /** saved takes in the row that `occurrences` of its own counts were added to. */
  saved(row: Alert, occurrences: number): void {
    this.shown = this.withOwn(isNewer(row, this.known) ? row : this.known, this.own - occurrences);
    this.known = isNewer(row, this.known) ? row : this.known;
  }

  /** committed takes in what a transition of this instance made of it. */
  committed(row: Alert, isBreach: boolean): void {
    this.known = row;
    this.shown = row;
    const steadyMs = this.clock.steadyMs();
    if (isBreach) this.lastBreachMs = steadyMs;
    this.lastNotifiedMs = steadyMs;
  }

  /** learn takes in what other instances made of it; what is older than what is known changes nothing. */
  learn(row: Alert): void {
    if (!isNewer(row, this.known)) return;
    if (row.occurrences > this.known.occurrences) this.lastBreachMs = this.clock.steadyMs();
    if (row.lastNotifiedMs !== this.known.lastNotifiedMs) this.lastNotifiedMs = this.steadyTimeOf(row.lastNotifiedMs);
    this.shown = this.withOwn(row, this.own);
    this.known = row;
  }

  /** over shows a row that was read for somebody, with the counts that only this instance has. */
  over(row: Alert): Alert {
    if (row.id !== this.known.id || row.resolvedMs !== null) return row;
    const latest = isNewer(row, this.known) ? row : this.known;
    // While counts are on their way, nobody knows whether the row has them.
    const own = this.saving ? Math.max(0, this.shown.occurrences - latest.occurrences) : this.own;
    return this.withOwn(latest, own);
  }

  /** deaf takes `ms` out of its quiet: for that long nothing could be heard of the other instances. */
  deaf(ms: number): void {
    this.lastBreachMs = Math.min(this.clock.steadyMs(), this.lastBreachMs + ms);
  }

  /** passed is how long it has been quiet and how long nobody was told of it, in ms. */
  passed(): { readonly quietMs: number; readonly silentMs: number } {
    const steadyMs = this.clock.steadyMs();
    return { quietMs: steadyMs - this.lastBreachMs, silentMs: steadyMs - this.lastNotifiedMs };
  }

  /** isDue tells whether a look at the alert may change it. */
  isDue({ resolveAfterMs, repeatIntervalMs }: AlertTiming): boolean {
    const { quietMs, silentMs } = this.passed();
    return quietMs >= resolveAfterMs || (!this.shown.acknowledged && silentMs >= repeatIntervalMs);
  }

  /** missed is the last breach that was counted here after the alert had already ended elsewhere, if there was one. */
  missed(resolvedMs: number): Breach | null {
    return this.own > 0 && this.shown.lastBreachMs > resolvedMs ? this.breach : null;
  }

  private withOwn(row: Alert, own: number): Alert {
    if (own <= 0) return row;
    const { value, threshold, peak, lastBreachMs } = this.shown;
    const later = lastBreachMs >= row.lastBreachMs ? { value, threshold, lastBreachMs } : {};
    return { ...row, ...later, occurrences: row.occurrences + own, peak: higher(row.peak, peak) };
  }

  private steadyTimeOf(wallMs: number): number {
    return this.clock.steadyMs() - Math.max(0, this.clock.wallMs() - wallMs);
  }
}

/** isNewer tells which of two sights of an alert is the later one: every change makes one of these numbers higher. */
export function isNewer(
  one: Pick<Alert, 'version' | 'occurrences'>,
  other: Pick<Alert, 'version' | 'occurrences'>,
): boolean {
  return one.version > other.version || (one.version === other.version && one.occurrences > other.occurrences);
}

function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
