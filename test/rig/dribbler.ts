import { connect, type Socket } from 'node:net';

/** Dribbler is a client that sends a request one byte at a time and never ends it. */
export class Dribbler {
  /** closedAfterMs is how long the server bore it; null while it does. */
  closedAfterMs: number | null = null;
  private readonly socket: Socket;
  private readonly timer: NodeJS.Timeout;
  private readonly beginMs = performance.now();

  /** `opening` is sent at once, then one byte of filler every `everyMs`. */
  constructor({ port, opening, everyMs }: { port: number; opening: string; everyMs: number }) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined).on('data', () => undefined);
    this.socket.once('close', () => {
      this.closedAfterMs = performance.now() - this.beginMs;
      clearInterval(this.timer);
    });
    this.socket.write(opening);
    this.timer = setInterval(() => this.socket.write('x'), everyMs);
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.destroy();
  }
}

/** UNFINISHED_HEADERS is the beginning of a request whose headers go on. */
export const UNFINISHED_HEADERS = 'GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Filler: ';

/** UNFINISHED_BODY is a request whose body is announced and goes on. */
export const UNFINISHED_BODY =
  'POST /api/v1/metrics/inference HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n';
