import { connect, type Socket } from 'node:net';

/** OnAnswer hears the status of an answer and the size of its body, when the last byte is in. */
export type OnAnswer = (status: number, bodyBytes: number) => void;

const HEAD_END = Buffer.from('\r\n\r\n', 'latin1');
const READ_BYTES = 128 * 1024;

/**
 * HttpConnection is a keep-alive connection that sends ready bytes and reads no more of an answer than its status and its
 * length. One request at a time: the next is sent when the answer is in.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #head = Buffer.alloc(0);
  #status = 0;
  #bodyBytes = 0;
  #bytesLeft = -1;
  #onAnswer: OnAnswer | null = null;

  private constructor(port: number, onFault: (error: Error) => void) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (length, buffer) => {
          this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => onFault(error));
    this.#socket.on('end', () => onFault(new Error('the server closed a connection')));
  }

  /** open connects; `onFault` hears once of whatever breaks the connection, now or later. */
  static async open(port: number, onFault: (error: Error) => void): Promise<HttpConnection> {
    let fault = onFault;
    const connection = new HttpConnection(port, (error) => {
      const tell = fault;
      fault = () => undefined;
      tell(error);
    });
    await new Promise<void>((resolve, reject) => {
      fault = reject;
      connection.#socket.once('connect', resolve);
    });
    fault = onFault;
    return connection;
  }

  /** send writes a whole request. */
  send(bytes: Buffer, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(bytes);
  }

  /** close ends the connection; nothing more is heard of it. */
  close(): void {
    this.#onAnswer = null;
    this.#socket.removeAllListeners('end').destroy();
  }

  #read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#bytesLeft < 0) {
      if (this.#head.length > 0) bytes = Buffer.concat([this.#head, chunk]);
      const end = bytes.indexOf(HEAD_END);
      if (end < 0) {
        this.#head = Buffer.from(bytes);
        return;
      }
      this.#head = Buffer.alloc(0);
      this.#readHead(bytes.toString('latin1', 0, end));
      bytes = bytes.subarray(end + HEAD_END.length);
    }
    this.#bytesLeft -= bytes.length;
    if (this.#bytesLeft > 0) return;
    if (this.#bytesLeft < 0) throw new Error('an answer is longer than it said');
    this.#bytesLeft = -1;
    const tell = this.#onAnswer;
    this.#onAnswer = null;
    tell?.(this.#status, this.#bodyBytes);
  }

  #readHead(head: string): void {
    this.#status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && this.#status !== 204) throw new Error(`an answer without a length: ${head}`);
    this.#bodyBytes = Number(length ?? 0);
    this.#bytesLeft = this.#bodyBytes;
  }
}
