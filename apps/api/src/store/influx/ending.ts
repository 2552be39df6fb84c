/**
 * Ending ends one request: at its time limit, when one of the given signals aborts, or by `abort`. What listens to its
 * signal goes with it. AbortSignal.any over AbortSignal.timeout does not do: Node 20 keeps such a signal for ever while it
 * has a listener, and the client library removes none of its own, which hold the body of the request.
 */
export class Ending {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private isLate = false;

  private constructor(private readonly signals: readonly AbortSignal[]) {}

  /** begin starts the time; `stop` is to be called when the request has ended. */
  static begin(timeoutMs: number, signals: readonly (AbortSignal | undefined)[] = []): Ending {
    const ending = new Ending(signals.filter((signal) => signal !== undefined));
    ending.listen(timeoutMs);
    return ending;
  }

  /** signal aborts when the request is to end. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** wasLate tells whether it was the time limit. */
  get wasLate(): boolean {
    return this.isLate;
  }

  /** abort ends the request. */
  readonly abort = (): void => this.controller.abort();

  /** stop lets go of the time and of the signals. */
  stop(): void {
    clearTimeout(this.timer);
    for (const signal of this.signals) signal.removeEventListener('abort', this.abort);
  }

  private listen(timeoutMs: number): void {
    this.timer = setTimeout(() => {
      this.isLate = true;
      this.abort();
    }, timeoutMs);
    this.timer.unref();
    for (const signal of this.signals) {
      signal.addEventListener('abort', this.abort);
      if (signal.aborted) this.abort();
    }
  }
}
