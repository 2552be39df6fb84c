import { ID, metricLine, SEQ_AND_NS } from './metric-text.js';
import type { Times } from './request-template.js';
import { positionsOf, writeDigits, writeId } from './written-over.js';

const SEQ_AT = 'seq='.length;
const SEQ_DIGITS = 16;
const MS_AT = SEQ_AT + SEQ_DIGITS + 'i '.length;
const MS_DIGITS = 13;
const LOW_DIGITS = 6;

/** LinesTemplate is a request that brings InfluxDB the lines that Tidemark would; see RequestTemplate. */
export class LinesTemplate {
  readonly bytes: Buffer;
  readonly #ends: readonly number[];
  readonly #ids: readonly number[];

  constructor(
    readonly points: number,
    path: string,
    random: () => number,
  ) {
    const body = Array.from({ length: points }, () => metricLine(random)).join('');
    const head =
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    this.bytes = Buffer.from(head + body, 'latin1');
    this.#ends = positionsOf(this.bytes, SEQ_AND_NS);
    this.#ids = positionsOf(this.bytes, ID);
  }

  /** stamp gives every line its time, a number of its own from `firstId` on, and a request id of that. */
  stamp({ firstMs, stepMs }: Times, firstId: number): void {
    for (let i = 0; i < this.points; i++) {
      const end = this.#ends[i] ?? 0;
      const id = firstId + i;
      writeDigits(this.bytes, { at: end + SEQ_AT, digits: SEQ_DIGITS }, id);
      writeDigits(this.bytes, { at: end + MS_AT, digits: MS_DIGITS }, Math.floor(firstMs + i * stepMs));
      writeDigits(this.bytes, { at: end + MS_AT + MS_DIGITS, digits: LOW_DIGITS }, id);
      writeId(this.bytes, this.#ids[i] ?? 0, id);
    }
  }
}
