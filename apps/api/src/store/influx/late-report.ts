import type { StoreFault } from '../store-fault.js';

/**
 * LateReport is a change in how a server looks that is not open yet: it is away; it is there and refuses the token; it is
 * there and says something that nobody can do anything with; it is open after all.
 */
export type LateReport =
  | { readonly kind: 'away' | 'unauthorized' | 'refused'; readonly fault: StoreFault }
  | { readonly kind: 'open'; readonly awayMs: number };

/** LateReports tells of changes only: a server that is tried every few seconds for an hour is one report. */
export class LateReports {
  private readonly beganMs: number;
  private last: LateReport['kind'] | null = null;

  constructor(
    private readonly steadyMs: () => number,
    private readonly report: (report: LateReport) => void,
  ) {
    this.beganMs = steadyMs();
  }

  /** failed is told of every try that failed. */
  failed(fault: StoreFault): void {
    const kind = lookOf(fault);
    if (kind !== this.last) this.report({ kind, fault });
    this.last = kind;
  }

  /** opened tells of the end, unless nobody was told of a beginning. */
  opened(): void {
    if (this.last !== null) this.report({ kind: 'open', awayMs: this.steadyMs() - this.beganMs });
  }
}

function lookOf({ kind }: StoreFault): 'away' | 'unauthorized' | 'refused' {
  if (kind === 'unauthorized') return 'unauthorized';
  return kind === 'unreachable' || kind === 'timeout' || kind === 'overloaded' ? 'away' : 'refused';
}
