/** Listening ends what waits for a server: `signal` aborts when it was silent for too long, `stop` ends the listening. */
export interface Listening {
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/**
 * Pulse tells a server that hangs from one that is busy: a busy one still answers somebody, so that whoever waits for it
 * need only give up when nobody hears from it any more.
 */
export class Pulse {
  private readonly timers = new Set<NodeJS.Timeout>();

  /** felt is called with every sign of life. */
  felt(): void {
    for (const timer of this.timers) timer.refresh();
  }

  /** listen aborts its signal once nothing was felt for `quietMs`, from now on. */
  listen(quietMs: number): Listening {
    const silence = new AbortController();
    const timer = setTimeout(() => {
      // A timer that has gone off would be started again by the next sign of life.
      this.timers.delete(timer);
      silence.abort();
    }, quietMs);
    this.timers.add(timer);
    const stop = (): void => {
      this.timers.delete(timer);
      clearTimeout(timer);
    };
    return { signal: silence.signal, stop };
  }
}
