import type { Clock } from './clock.js';
import { isRecord } from './is-record.js';
import type { PointKind } from './point.js';
import type { DropReason, Ledger } from './stats.js';

/** DropReport tells onDrop of points that will never be sent; equal ones of one moment are added up. */
export interface DropReport {
  readonly kind: PointKind;
  /** reason is `invalid` or `too_large` for points counted as rejected, else as in `droppedBy`. */
  readonly reason: DropReason | 'invalid' | 'too_large';
  readonly message: string;
  readonly count: number;
}

/** RejectedItem is one point the server refused. */
export interface RejectedItem {
  readonly code: string;
  /** pointer is the server's JSON pointer to the fault, empty where it gave none. */
  readonly pointer: string;
  readonly message: string;
  /** point is what was sent, as on the wire. */
  readonly point: unknown;
}

/** RejectReport tells onReject of the points that one answer refused; `items` shows at most 100 of `count`. */
export interface RejectReport {
  readonly kind: PointKind;
  readonly status: number;
  readonly count: number;
  readonly items: readonly RejectedItem[];
}

/** ReporterHooks are the host's functions that want to hear. */
export interface ReporterHooks {
  readonly onDrop: ((report: DropReport) => void) | undefined;
  readonly onReject: ((report: RejectReport) => void) | undefined;
  readonly warn: ((line: string) => void) | false;
}

/** Episode is something that is warned of once until it is over. */
export type Episode = 'loss' | 'refusal' | 'outage';

const REPORT_INTERVAL_MS = 1_000;
const WARN_INTERVAL_MS = 60_000;
const MAX_WAITING_REPORTS = 100;
const MAX_LINE = 400;

/**
 * Reporter calls the host's hooks, never from within the host's own calls: a hook that records a bad point would call
 * itself for ever. What they throw is counted and goes no further.
 */
export class Reporter {
  readonly #hooks: ReporterHooks;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, DropReport>();
  readonly #lasting = new Set<Episode>();
  readonly #warnedAt = new Map<Episode, number>();
  #cancelTimer: (() => void) | undefined;
  #nextAt = 0;

  constructor(hooks: ReporterHooks, ledger: Ledger, clock: Clock) {
    this.#hooks = hooks;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  /** dropped has onDrop called soon, at most once a second; too many different messages are told as one. */
  dropped(report: DropReport): void {
    const full = this.#waiting.size >= MAX_WAITING_REPORTS;
    const exact = `${report.kind} ${report.reason} ${report.message}`;
    const key = full && !this.#waiting.has(exact) ? `${report.kind} ${report.reason}` : exact;
    const before = this.#waiting.get(key);
    this.#waiting.set(key, { ...report, count: report.count + (before?.count ?? 0) });
    if (this.#cancelTimer !== undefined) return;
    const delayMs = Math.max(0, this.#nextAt - this.#clock.elapsed());
    this.#cancelTimer = this.#clock.after(delayMs, () => this.deliver(), false);
  }

  /** deliver calls onDrop now with all that waits. */
  deliver(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#waiting.size === 0) return;
    this.#nextAt = this.#clock.elapsed() + REPORT_INTERVAL_MS;
    const reports = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const report of reports) {
      this.warnOnce('loss', `${String(report.count)} ${report.kind} point(s) lost: ${report.message}`);
      this.#call(this.#hooks.onDrop, report);
    }
  }

  /** rejected calls onReject. */
  rejected(report: RejectReport): void {
    const first = report.items[0];
    const why = first === undefined ? '' : `: ${first.code} ${first.pointer} ${first.message}`;
    this.warnOnce('refusal', `the server refused ${String(report.count)} ${report.kind} point(s)${why}`);
    this.#call(this.#hooks.onReject, report);
  }

  /** warnOnce says `line` unless the episode goes on, or the one before it began less than a minute ago. */
  warnOnce(episode: Episode, line: string): void {
    if (this.#lasting.has(episode)) return;
    this.#lasting.add(episode);
    const now = this.#clock.elapsed();
    if (now - (this.#warnedAt.get(episode) ?? -Infinity) < WARN_INTERVAL_MS) return;
    this.#warnedAt.set(episode, now);
    // The line may quote the server: no control character of its reaches the host's log, nor a whole page of text.
    const clean = line.replaceAll(/\p{Cc}/gu, ' ').slice(0, MAX_LINE);
    if (this.#hooks.warn !== false) this.#call(this.#hooks.warn, `[tidemark] ${clean}`);
  }

  /** over ends an episode. */
  over(episode: Episode): void {
    this.#lasting.delete(episode);
  }

  #call<T>(hook: ((argument: T) => unknown) | undefined, argument: T): void {
    try {
      const answer = hook?.(argument);
      // An async hook that fails would otherwise end the host as an unhandled rejection.
      if (isRecord(answer) && typeof answer['then'] === 'function') Promise.resolve(answer).catch(() => this.#failed());
    } catch {
      this.#failed();
    }
  }

  #failed(): void {
    this.#ledger.hookErrors++;
  }
}
