import { closeServers, type LocalServer } from '@tidemark/servers';

/** StartingOptions say who is told of each step, and what ends the start. */
export interface StartingOptions {
  readonly say?: ((step: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Starting starts servers one after the other, and remembers them until all are there. */
export class Starting {
  private readonly started: LocalServer[] = [];

  constructor(private readonly options: StartingOptions) {}

  /** begin starts one; it rejects where the start was ended meanwhile. */
  async begin(name: string, start: () => Promise<LocalServer>): Promise<LocalServer> {
    const { say, signal } = this.options;
    signal?.throwIfAborted();
    say?.(`starting ${name}`);
    const server = await start();
    this.started.push(server);
    signal?.throwIfAborted();
    return server;
  }

  /** undo ends what has begun, last started first. It answers why there is no start: `reason`, and what could not be ended, if any. */
  async undo(reason: unknown): Promise<unknown> {
    try {
      await closeServers(this.started);
      return reason;
    } catch (fault) {
      const [why, left] = [reason, fault].map((error) => (error instanceof Error ? error.message : String(error)));
      return new AggregateError([reason, fault], `${why}; ${left}`);
    }
  }
}
