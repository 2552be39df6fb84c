import type { Random } from '@tidemark/state';

const MAX_COUNT = 0xffff;

/**
 * AlertIds makes the ids of alerts so that they sort in the order in which they were made: one metric can raise several
 * alerts in one millisecond, and lists break that tie by id. 32 hex characters: 12 of time, 4 of a count, 16 of chance.
 */
export class AlertIds {
  private lastMs = 0;
  private count = 0;

  constructor(private readonly random: Random) {}

  /** next makes an id at that wall time (epoch ms); a clock that was set back is taken to stand still. */
  next(nowMs: number): string {
    if (nowMs > this.lastMs) {
      this.lastMs = nowMs;
      this.count = 0;
    } else if (++this.count > MAX_COUNT) {
      this.lastMs++;
      this.count = 0;
    }
    return hex(this.lastMs, 12) + hex(this.count, 4) + Buffer.from(this.random(8)).toString('hex');
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
