import type { Platform } from './platform.js';

/** MemoryWatch says how much memory a platform took since `from`: that of the instance of the API that took most. */
export class MemoryWatch {
  private constructor(
    private readonly platform: Pick<Platform, 'processes'>,
    private readonly before: readonly number[],
  ) {}

  static from(platform: Pick<Platform, 'processes'>): MemoryWatch {
    const before = platform.processes.map((program) => program.residentBytes());
    for (const program of platform.processes) program.forgetPeak();
    return new MemoryWatch(platform, before);
  }

  /** keptBytes is what it has more now. */
  get keptBytes(): number {
    return this.most(this.platform.processes.map((program) => program.residentBytes()));
  }

  /** peakBytes is what it had more at most. */
  get peakBytes(): number {
    return this.most(this.platform.processes.map((program) => program.peakBytes()));
  }

  private most(now: readonly number[]): number {
    return Math.max(...now.map((bytes, i) => bytes - (this.before[i] ?? NaN)));
  }
}
