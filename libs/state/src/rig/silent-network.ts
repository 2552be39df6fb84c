import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** SilentNetwork stands between a client and a server of this machine, and can stop passing anything on. */
export class SilentNetwork {
  private readonly sockets = new Set<Socket>();
  private isSilent = false;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** open listens on a free port and passes on to `target`. */
  static async open(target: number): Promise<SilentNetwork> {
    const server = createServer({ pauseOnConnect: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a listening socket has no port');
    const network = new SilentNetwork(server, address.port);
    server.on('connection', (near) => network.join(near, connect(target, '127.0.0.1')));
    return network;
  }

  /** fallSilent passes nothing on any more, in either direction, over connections old and new. */
  fallSilent(): void {
    this.isSilent = true;
  }

  /** speak passes on again what comes from now on. */
  speak(): void {
    this.isSilent = false;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (chunk) => this.isSilent || to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
