import { ID, metricText, STAMP } from './metric-text.js';
import { positionsOf, writeId } from './written-over.js';

const ZERO = 48;
const DAY_MS = 86_400_000;

/** Times says when the metrics of a request happened: `firstMs` the first, each next one `stepMs` later (epoch ms). */
export interface Times {
  readonly firstMs: number;
  readonly stepMs: number;
}

/**
 * RequestTemplate is a whole HTTP request as bytes. Before each send only its timestamps and request ids are written
 * over, in place, so that sending costs the machine next to nothing beside what receiving costs.
 */
export class RequestTemplate {
  readonly bytes: Buffer;
  readonly #stamps: readonly number[];
  readonly #ids: readonly number[];
  #day = -1;

  /** One metric goes to the single route, as its own body; more go to the batch route. */
  constructor(
    readonly points: number,
    random: () => number,
  ) {
    const items = Array.from({ length: points }, () => metricText(random));
    const [path, body] = points === 1 ? ['', items.join('')] : ['/batch', `{"metrics":[${items.join(',')}]}`];
    const head =
      `POST /api/v1/metrics/inference${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
    this.bytes = Buffer.from(head + body, 'latin1');
    this.#stamps = positionsOf(this.bytes, STAMP);
    this.#ids = positionsOf(this.bytes, ID);
  }

  /** stamp gives every metric its time and a request id of its own, from `firstId` on. */
  stamp({ firstMs, stepMs }: Times, firstId: number): void {
    for (let i = 0; i < this.points; i++) {
      this.#writeTime(this.#stamps[i] ?? 0, Math.floor(firstMs + i * stepMs));
      writeId(this.bytes, this.#ids[i] ?? 0, firstId + i);
    }
  }

  #writeTime(at: number, ms: number): void {
    const day = Math.floor(ms / DAY_MS);
    if (day !== this.#day) this.#writeDay(day);
    const { bytes } = this;
    let rest = ms - day * DAY_MS;
    const thousandths = rest % 1000;
    rest = (rest - thousandths) / 1000;
    const seconds = rest % 60;
    rest = (rest - seconds) / 60;
    const minutes = rest % 60;
    const hours = (rest - minutes) / 60;
    this.#writeTwo(at + 11, hours);
    this.#writeTwo(at + 14, minutes);
    this.#writeTwo(at + 17, seconds);
    bytes[at + 20] = ZERO + Math.floor(thousandths / 100);
    this.#writeTwo(at + 21, thousandths % 100);
  }

  /** Metrics of one request are near in time: those before and after midnight get the day of the last that was looked at. */
  #writeDay(day: number): void {
    const text = new Date(day * DAY_MS).toISOString().slice(0, 11);
    for (const at of this.#stamps) this.bytes.write(text, at, 'latin1');
    this.#day = day;
  }

  #writeTwo(at: number, value: number): void {
    const tens = Math.floor(value / 10);
    this.bytes[at] = ZERO + tens;
    this.bytes[at + 1] = ZERO + value - tens * 10;
  }
}
