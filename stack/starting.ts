import type { LocalServer } from '@tidemark/servers';

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

  /** undo ends what has begun, last started first. */
  async undo(): Promise<void> {
    for (const server of this.started.toReversed()) await server.close();
  }
}
