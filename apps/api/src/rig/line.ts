import { connect, type Socket } from 'node:net';

/** Line is a connection on which a test says byte by byte what is sent. */
export class Line {
  private text = '';

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk) => (this.text += String(chunk)));
  }

  static open(url: string): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(new Line(socket)));
      socket.once('error', reject);
    });
  }

  /** received is all that came, when the server has hung up. */
  async received(): Promise<string> {
    await new Promise((resolve) => this.socket.once('close', resolve));
    return this.text;
  }

  /** answers resolves with the status and body of all that came, when the server has hung up. */
  async answers(): Promise<string[]> {
    const found: string[] = [];
    for (let rest = await this.received(); rest !== '';) {
      const [, status = '', length = '0'] = /^HTTP\/1\.1 (\d+) [\s\S]*?content-length: (\d+)/i.exec(rest) ?? [];
      const start = rest.indexOf('\r\n\r\n') + 4;
      found.push(`${status} ${rest.slice(start, start + Number(length))}`);
      rest = rest.slice(start + Number(length));
    }
    return found;
  }
}
