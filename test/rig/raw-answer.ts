import { connect } from 'node:net';
import type { Answer } from './client.js';

/** rawAnswer sends bytes that need not be HTTP, and takes apart the answer that comes. */
export async function rawAnswer(port: number, sent: string): Promise<Answer> {
  const text = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
      // The server may go on listening to what it refused, or hang up with a reset: neither is waited for.
      if (isWhole(heard)) socket.destroy();
    });
    socket.on('error', () => undefined).on('close', () => resolve(heard));
    socket.write(sent);
  });
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [first = '', ...rows] = head.split('\r\n');
  const headers = Object.fromEntries(
    rows.map((row) => [row.slice(0, row.indexOf(':')).toLowerCase(), row.slice(row.indexOf(':') + 2)]),
  );
  return { status: Number(first.split(' ')[1]), headers, text: body, json: JSON.parse(body) };
}

function isWhole(text: string): boolean {
  const [head = '', body] = text.split('\r\n\r\n');
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  return body !== undefined && length !== undefined && Buffer.byteLength(body) >= Number(length);
}
