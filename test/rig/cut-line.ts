import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** CutLine is a broken network: it carries requests to a server, and cuts the connection when the answer comes back. */
export class CutLine {
  /** How many connections were cut. */
  cuts = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (socket) => this.carry(socket));
  }

  /** open stands in front of a server for the test that runs now. */
  static async open(target: string): Promise<CutLine> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const line = new CutLine(server, new URL(target));
    onTestFinished(() => line.close());
    return line;
  }

  get url(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private carry(socket: Socket): void {
    const onward = connect(Number(this.target.port), this.target.hostname);
    for (const end of [socket, onward]) {
      this.sockets.add(end);
      end.on('error', () => undefined).on('close', () => this.sockets.delete(end));
    }
    socket.pipe(onward);
    onward.once('data', () => {
      this.cuts++;
      socket.destroy();
      onward.destroy();
    });
  }
}
