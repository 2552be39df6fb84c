import type { StoreFault } from '../store-fault.js';
import { AppendPace } from './append-pace.js';
import type { DeadLetterFate, DeadLetters } from './dead-letters.js';
import { type DeadLetterReason, decideDrain, type DrainAction, type RetryPace } from './decide-drain.js';
import type { Lane } from './lane.js';
import { countLines, halve } from './line-pieces.js';
import type { Spool } from './spool.js';
import type { SpoolReport } from './spool-report.js';
import { within } from './within.js';

/** DrainerOptions are what a drainer works with. */
export interface DrainerOptions {
  readonly spool: Spool;
  readonly lane: Lane;
  readonly deadLetters: DeadLetters;
  /** Bytes of lines in one request, unless a single batch that was acknowledged is larger. */
  readonly batchBytes: number;
  readonly pace?: RetryPace;
  readonly steadyMs: () => number;
  /** Answers numbers in 0..1. */
  readonly random: () => number;
  readonly report: (report: SpoolReport) => void;
}

/** Requests that look for bad points in one batch, one by one; past it, pieces of 1 in 64 of its lines are set aside whole. */
const SEARCH_REQUESTS = 1000;
const COARSE_PIECES = 64;
const LEAST_BATCH_BYTES = 1024;
/** So many requests' worth that went to the server may be followed by appends that wait for nothing. */
const CREDIT_BATCHES = 2;

/**
 * Drainer brings what is in the spool to the server, in order, one request at a time, for as long as it takes. It works
 * from `wake` until the spool is empty.
 */
export class Drainer {
  private readonly stopping = new AbortController();
  private running: Promise<void> | null = null;
  private notBeforeMs = -Infinity;
  private failures = 0;
  /** What a request may hold since the server found one too large; until the spool is empty. */
  private limitBytes: number;
  /** Whether the requests since the last batch was accepted went well, so that waiting for the end is worth it. */
  private isFluent = true;
  private waiting: (() => void)[] = [];
  private readonly appends: AppendPace;
  /** Ends the wait for the next try, while there is one. */
  private hurried: () => void = () => undefined;
  private readonly told = new Set<string>();
  private awaySinceMs: number | null = null;
  private drainedAtStart = 0;

  constructor(private readonly options: DrainerOptions) {
    this.limitBytes = options.batchBytes;
    this.appends = new AppendPace(CREDIT_BATCHES * options.batchBytes);
  }

  /** mayTry is false while the server is to be left alone: it asked for that, or it has just failed. */
  get mayTry(): boolean {
    return this.options.steadyMs() >= this.notBeforeMs;
  }

  /** wake begins to drain, unless that is under way or there is nothing to do. */
  wake(): void {
    if (this.options.spool.isEmpty || this.stopping.signal.aborted || this.running) return;
    if (this.awaySinceMs === null) {
      this.awaySinceMs = this.options.steadyMs();
      this.drainedAtStart = this.options.spool.stats().drainedPoints;
    }
    this.running = this.run().finally(() => {
      this.running = null;
      this.wake(); // for what was appended after the last look and before this
    });
  }

  /**
   * blame takes note of a fault, also of one of a request that did not come out of the spool, and answers what becomes of
   * the lines. It tells each kind of fault once an episode.
   */
  blame(fault: StoreFault, lines = Infinity, leastLines = 1): DrainAction {
    const { pace, random, steadyMs, report } = this.options;
    const { kind, retryAfterMs } = fault;
    // What fails beside another request, in the wait that the other's fault began, is the same failure.
    const failures = this.mayTry ? this.failures + 1 : Math.max(1, this.failures);
    const action = decideDrain({ kind, retryAfterMs, failures, lines, leastLines, random: random() }, pace);
    this.failures = action.kind === 'retry' ? failures : 0;
    // Of two requests at a time the one may have been told to wait longer than the other.
    if (action.kind === 'retry') this.notBeforeMs = Math.max(this.notBeforeMs, steadyMs() + action.delayMs);
    if (!this.told.has(kind)) report({ kind: 'away', fault });
    this.told.add(kind);
    this.isFluent = false;
    this.moved();
    return action;
  }

  /**
   * praise takes note of a request that went well although it did not come out of the spool. One that another overtook and
   * blamed the server since it began says nothing of the server now.
   */
  praise(): void {
    if (!this.mayTry) return;
    this.failures = 0;
    this.told.clear();
  }

  /** hurry ends the wait for the next try: somebody has found that the server is there. */
  hurry(): void {
    this.failures = 0;
    this.notBeforeMs = -Infinity;
    this.hurried();
  }

  /**
   * makeWay has a caller with so many bytes of lines wait, `ms` at most, for what is before it while draining goes well, and
   * answers whether the spool is empty now.
   */
  async makeWay(bytes: number, ms: number): Promise<boolean> {
    const { spool, steadyMs } = this.options;
    const endMs = steadyMs() + ms;
    await this.keepPace(bytes, ms);
    await this.handOver(Math.max(0, endMs - steadyMs()));
    return spool.isEmpty;
  }

  /** close gives up the request that is on its way; its lines stay in the spool. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /**
   * More than is about to be appended must have been drained: the spool would otherwise grow for as long as a load goes on
   * that the server takes more slowly than the disk.
   */
  private async keepPace(bytes: number, ms: number): Promise<void> {
    if (this.options.spool.isEmpty || !this.isFluent) return;
    const isDraining = await this.appends.wait(bytes, ms, this.stopping.signal);
    if (isDraining || this.options.spool.isEmpty) return;
    this.isFluent = false;
    this.moved();
  }

  /**
   * The end is waited for where it is near. A caller who appends nothing meanwhile lets it come: under a load that never
   * pauses there would otherwise always be one batch more.
   */
  private async handOver(ms: number): Promise<void> {
    const { spool, batchBytes } = this.options;
    // Where no time is left for it, that it did not come says nothing of the server.
    if (spool.isEmpty || !this.isFluent || spool.waitingBytes > batchBytes || ms <= 0) return;
    const moved = new Promise<void>((resolve) => this.waiting.push(resolve));
    await within(moved, ms, this.stopping.signal);
    if (!spool.isEmpty) this.isFluent = false;
  }

  private async run(): Promise<void> {
    for (let diskFaults = 0; !this.stopping.signal.aborted;) {
      try {
        if (!(await this.drainNext())) return this.end();
        diskFaults = 0;
      } catch (error) {
        // The spool is whole; its disk does not answer. What is on it is waited for like the server.
        if (diskFaults++ === 0) this.options.report({ kind: 'disk_fault', error });
        this.isFluent = false;
        this.moved();
        await this.pause(Math.min(30_000, 100 * 2 ** diskFaults));
      }
    }
  }

  private end(): void {
    const { spool, steadyMs, report, batchBytes } = this.options;
    const drainedPoints = spool.stats().drainedPoints - this.drainedAtStart;
    report({ kind: 'back', drainedPoints, awayMs: steadyMs() - (this.awaySinceMs ?? steadyMs()) });
    this.awaySinceMs = null;
    this.told.clear();
    this.limitBytes = batchBytes;
    this.isFluent = true;
    this.moved();
  }

  private async drainNext(): Promise<boolean> {
    const { spool } = this.options;
    const batch = await spool.take(this.limitBytes);
    if (!batch) return false;
    if (!(await this.send(batch.lines))) return true;
    await spool.accept(batch);
    this.isFluent = true;
    this.appends.drained(batch.lines.length);
    return true;
  }

  /** Answers whether every line is stored or set aside; false when closing came first. */
  private async send(lines: Uint8Array): Promise<boolean> {
    const pieces = [lines];
    const aside = new SetAside();
    const all = countLines(lines);
    let searched = 0;
    for (let piece = pieces.pop(); piece; piece = pieces.pop()) {
      const halves = this.isKnownTooLarge(piece) ? halve(piece) : null;
      if (halves) {
        pieces.push(...halves.toReversed());
        continue;
      }
      await this.pause(this.notBeforeMs - this.options.steadyMs());
      if (this.stopping.signal.aborted) return false;
      const fault = await this.options.lane.send(piece, this.stopping.signal);
      if (this.stopping.signal.aborted && fault) return false;
      if (!fault) {
        this.failures = 0;
        continue;
      }
      if (fault.kind === 'bad_points') searched++;
      if (fault.kind === 'too_large') this.limitBytes = Math.max(LEAST_BATCH_BYTES, Math.floor(piece.length / 2));
      const count = countLines(piece);
      const action = this.blame(fault, count, searched > SEARCH_REQUESTS ? Math.ceil(all / COARSE_PIECES) : 1);
      if (action.kind === 'set_aside') {
        const fate = await this.options.deadLetters.add(piece, action.reason, fault.message);
        aside.add(action.reason, { lines: count, message: fault.message, fate });
      } else pieces.push(...((action.kind === 'halve' && halve(piece)?.toReversed()) || [piece]));
    }
    aside.reports().forEach(this.options.report);
    return true;
  }

  private isKnownTooLarge(piece: Uint8Array): boolean {
    return this.limitBytes < this.options.batchBytes && piece.length > this.limitBytes;
  }

  private pause(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    const hurried = new Promise<void>((resolve) => (this.hurried = resolve));
    return within(hurried, Math.ceil(ms), this.stopping.signal);
  }

  private moved(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
    this.appends.letAllGo();
  }
}

interface Aside {
  readonly lines: number;
  readonly message: string;
  readonly fate: DeadLetterFate;
}

interface AsideSum {
  lines: number;
  message: string;
  forgottenLines: number;
  error: unknown;
}

/** SetAside sums up what a batch left behind, so that many bad lines are one report. */
class SetAside {
  private readonly sums = new Map<DeadLetterReason, AsideSum>();

  add(reason: DeadLetterReason, { lines, message, fate }: Aside): void {
    const sum = this.sums.get(reason) ?? { lines: 0, message, forgottenLines: 0, error: null };
    sum.lines += lines;
    if (fate.outcome === 'forgotten') {
      sum.forgottenLines += lines;
      sum.error ??= fate.error;
    }
    this.sums.set(reason, sum);
  }

  reports(): SpoolReport[] {
    return [...this.sums].map(([reason, sum]) => ({ kind: 'dead_letters', reason, ...sum }));
  }
}
