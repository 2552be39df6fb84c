import type { LineSink } from '../line-sink.js';
import { StoreFault } from '../store-fault.js';
import { within } from './within.js';

/** AbortableSink is a LineSink that may be told to give up; one that does not listen must end by a time limit of its own. */
export interface AbortableSink extends LineSink {
  writeLines(lines: Uint8Array, signal?: AbortSignal): Promise<void>;
}

/** Lane sends one request at a time to a sink, each with a deadline. */
export class Lane {
  private pending: Promise<void> | null = null;

  constructor(
    private readonly sink: AbortableSink,
    private readonly deadlineMs: number,
  ) {}

  /** isFree is false while a request is on its way, also one that was given up and has not ended. */
  get isFree(): boolean {
    return this.pending === null;
  }

  /** send answers null when the lines are stored, or why that is not known at the deadline. It never rejects. */
  async send(lines: Uint8Array, stop?: AbortSignal): Promise<StoreFault | null> {
    if (this.pending) await within(this.pending, this.deadlineMs, stop);
    if (this.pending) return new StoreFault('timeout', 'the request before has not ended');
    const giveUp = new AbortController();
    let outcome: StoreFault | null = new StoreFault('timeout', `no answer within ${this.deadlineMs} ms`);
    const ended = this.request(lines, giveUp.signal).then((fault) => {
      outcome = fault;
      this.pending = null;
    });
    this.pending = ended;
    await within(ended, this.deadlineMs, stop);
    if (this.pending === ended) giveUp.abort();
    return outcome;
  }

  private async request(lines: Uint8Array, signal: AbortSignal): Promise<StoreFault | null> {
    try {
      await this.sink.writeLines(lines, signal);
      return null;
    } catch (error) {
      if (error instanceof StoreFault) return error;
      return new StoreFault('refused', error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}
