import type { Readable } from 'node:stream';

/**
 * readLimited reads a stream of bytes to its end, so that its sender can still be answered, and keeps at most `maxBytes`;
 * undefined if there were more.
 */
export async function readLimited(stream: Readable, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the stream is not one of bytes');
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
  }
  return size <= maxBytes ? Buffer.concat(chunks) : undefined;
}
