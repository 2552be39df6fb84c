import { RollupReader } from '../rollup-codec.js';

/** openBody reads the body of a row of rollups. Throws RollupError. */
export function openBody(stored: string): RollupReader {
  const bytes = Buffer.from(stored, 'base64');
  const body = new ArrayBuffer(bytes.length);
  new Uint8Array(body).set(bytes);
  return new RollupReader(body);
}
