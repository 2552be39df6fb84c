import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** SilentNetwork stands between a client and a server of this machine, and can stop passing anything on. */
export class SilentNetwork {
  private readonly sockets = new Set<Socket>();
  private isSilent = false;
  private isHolding = false;
  private readonly late = new Map<Socket, Buffer[]>();

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

  /** holdAnswers keeps back what the server says, also on a connection that has begun to be held, until `release`. */
  holdAnswers(): void {
    this.isHolding = true;
  }

  /** holdNoMore passes on answers again, but those on connections where one is held. */
  holdNoMore(): void {
    this.isHolding = false;
  }

  /** held is on how many connections an answer is held. */
  get held(): number {
    return this.late.size;
  }

  /** release passes on what was held, and resolves when it is sent. */
  async release(): Promise<void> {
    const sent = Array.from(this.late, ([to, chunks]) => {
      return new Promise((resolve) => to.write(Buffer.concat(chunks), resolve));
    });
    this.late.clear();
    await Promise.all(sent);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private hold(to: Socket, chunk: Buffer): void {
    this.late.set(to, [...(this.late.get(to) ?? []), chunk]);
  }

  private join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (chunk) => {
        if (this.isSilent) return;
        if (to === near && (this.isHolding || this.late.has(near))) this.hold(near, chunk);
        else to.write(chunk);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }
}
