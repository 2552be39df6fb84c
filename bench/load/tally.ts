import type { LoadResult } from './load-job.js';

/** Tally collects the answers of a job; those before `begin` are forgotten, but for the points that they acknowledged. */
export class Tally {
  #beginMs = performance.now();
  #cpu = process.cpuUsage();
  #accepted = 0;
  #points = 0;
  #pointsEver = 0;
  #bodyBytes = 0;
  #refused: Record<string, number> = {};
  #latenciesMs: number[] = [];

  /** begin starts to measure, from nothing. */
  begin(): void {
    this.#beginMs = performance.now();
    this.#cpu = process.cpuUsage();
    this.#accepted = 0;
    this.#points = 0;
    this.#bodyBytes = 0;
    this.#refused = {};
    this.#latenciesMs = [];
  }

  /** add counts an answer to a request that carried `points` and whose clock started at `sinceMs`. */
  add(status: number, points: number, sinceMs: number, bodyBytes: number): void {
    this.#latenciesMs.push(performance.now() - sinceMs);
    this.#bodyBytes += bodyBytes;
    if (status >= 200 && status < 300) {
      this.#accepted++;
      this.#points += points;
      this.#pointsEver += points;
    } else this.#refused[status] = (this.#refused[status] ?? 0) + 1;
  }

  /** result is what was collected until now. */
  result(): LoadResult {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      elapsedMs: performance.now() - this.#beginMs,
      accepted: this.#accepted,
      points: this.#points,
      pointsEver: this.#pointsEver,
      refused: this.#refused,
      latenciesMs: this.#latenciesMs,
      bodyBytes: this.#bodyBytes,
      cpuMs: (user + system) / 1000,
    };
  }
}
