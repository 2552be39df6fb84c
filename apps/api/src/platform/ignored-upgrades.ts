import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Upgrade is what a server tells of a request with an Upgrade header: the socket is out of its hands. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the head of the request, as far as it is read. */
  readonly head: Buffer;
}

/**
 * IgnoredUpgrades has requests that wish for a protocol which is not spoken here answered as if they did not: a server
 * may ignore the header (RFC 9110, section 7.8), and Java's HttpClient sends `Upgrade: h2c` with an ordinary request.
 *
 * With a listener for upgrades, Node takes every such request for one, and stops reading before the body. So the head is
 * put back in front of the body, without the header, and the socket goes through the server's front door again: bodies,
 * timeouts, keep-alive and pipelining are then the server's own. Writing an answer here instead would do all that twice.
 */
export class IgnoredUpgrades {
  /** Requests of a connection that are not answered yet. */
  private readonly unanswered = new WeakMap<Duplex, number>();
  /** Connections that already have a listener for errors. */
  private readonly guarded = new WeakSet<Duplex>();
  private readonly waiting = new WeakMap<Duplex, () => void>();

  constructor(private readonly server: Server) {}

  /** start begins to follow which answers a connection owes; without that two pipelined answers could change places. */
  start(): void {
    this.server.on('request', this.follow);
  }

  /** close stops following. */
  close(): void {
    this.server.off('request', this.follow);
  }

  /** handBack gives a request back to the server, once the answers that its connection owes are out. */
  handBack({ request, socket, head }: Upgrade): void {
    const bytes = Buffer.concat([headWithoutUpgrade(request), head]);
    this.guard(socket);
    const again = () => {
      if (!socket.writable) return void socket.destroy();
      socket.unshift(bytes);
      this.server.emit('connection', socket);
    };
    if (this.unanswered.get(socket)) this.waiting.set(socket, again);
    else again();
  }

  /** Stays for good: the client may go away at any time, also between this server's own listeners. */
  private guard(socket: Duplex): void {
    if (this.guarded.has(socket)) return;
    this.guarded.add(socket);
    socket.on('error', () => socket.destroy());
  }

  private readonly follow = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    this.unanswered.set(socket, (this.unanswered.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (this.unanswered.get(socket) ?? 1) - 1;
      this.unanswered.set(socket, left);
      if (left > 0) return;
      const again = this.waiting.get(socket);
      this.waiting.delete(socket);
      again?.();
    });
  };
}

/** Node reads header values as Latin-1, byte by byte, so that writing them as such gives the same bytes. */
function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'upgrade') lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
