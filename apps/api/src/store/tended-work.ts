/** Work is something that is done in slices while nothing better is to do. */
export interface Work {
  /** What it is called in logs and counters. */
  readonly name: string;
  /** dueInMs is 0 when a slice should run now, more when later, Infinity when there is nothing to do. */
  dueInMs(): number;
  /** isBehind is true when so much waits that commits should be slowed down for it. */
  isBehind?(): boolean;
  /** isPressed is true when it should not take its time, because as much again waits already. */
  isPressed?(): boolean;
  /** slice does a bounded piece, some 3 ms: commits wait behind it. */
  slice(): void;
}

/**
 * WorkNote tells that a slice of a work failed, that the work is well again after some that did, or that something in the
 * file cannot be read: a commit is then kept aside, a rollup begins anew.
 */
export type WorkNote =
  | {
      readonly kind: 'failed';
      readonly work: string;
      /** The first of its episode. */
      readonly isFirst: boolean;
      readonly code: string | null;
      readonly message: string;
    }
  | { readonly kind: 'healed'; readonly work: string; readonly failures: number }
  | { readonly kind: 'damaged'; readonly what: 'rollup'; readonly count: number }
  | {
      readonly kind: 'damaged';
      readonly what: 'commit';
      readonly count: number;
      /** How many points are said to be in it. */
      readonly points: number;
      readonly message: string;
    };

const PAUSE_AFTER_FAULT_MS = 5_000;
const WELL_AFTER_MS = 60_000;

/**
 * TendedWork runs the slices of a work and tells of its faults. After one it leaves the work alone for 5 s; what the
 * slice was about stays where it is, and the others go on. An episode ends when a slice leaves nothing due, or, where
 * something always is, with the first one a minute after the last fault: a single good slice says little, because the
 * next one may be the one that fails.
 */
export class TendedWork {
  private failures = 0;
  private failedAt = -Infinity;

  constructor(
    private readonly work: Work,
    private readonly tell: (note: WorkNote) => void,
  ) {}

  get isBehind(): boolean {
    return this.work.isBehind?.() ?? false;
  }

  get isPressed(): boolean {
    return this.work.isPressed?.() ?? false;
  }

  /** dueInMs is the work's own, but not before the pause is over. */
  dueInMs(): number {
    const pauseMs = Math.max(0, this.failedAt + PAUSE_AFTER_FAULT_MS - performance.now());
    return Math.max(pauseMs, this.work.dueInMs());
  }

  /** slice runs one and never throws. */
  slice(): void {
    try {
      this.work.slice();
    } catch (error) {
      this.failed(error);
      return;
    }
    if (this.failures === 0) return;
    if (this.work.dueInMs() <= 0 && performance.now() - this.failedAt < WELL_AFTER_MS) return;
    this.tell({ kind: 'healed', work: this.work.name, failures: this.failures });
    this.failures = 0;
  }

  private failed(error: unknown): void {
    this.failures++;
    this.failedAt = performance.now();
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
    const message = error instanceof Error ? error.message : String(error);
    this.tell({ kind: 'failed', work: this.work.name, isFirst: this.failures === 1, code, message });
  }
}
