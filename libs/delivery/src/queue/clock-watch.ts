/** ClockWatch notices when the wall clock is set back, by comparing it with a clock that never is. */
export class ClockWatch {
  private offsetMs: number;

  /** `steadyMs` is performance.now or alike. */
  constructor(
    private readonly wallMs: () => number,
    private readonly steadyMs: () => number,
  ) {
    this.offsetMs = wallMs() - steadyMs();
  }

  /**
   * setBackMs answers by how much the wall clock was set back since the last time it answered more than 0. Less than a
   * second is left to add up. A clock set forward needs no answer: what is due comes early, while moving due times on
   * would delay what was made after the jump.
   */
  setBackMs(): number {
    const offset = this.wallMs() - this.steadyMs();
    if (offset > this.offsetMs) this.offsetMs = offset;
    const backMs = Math.round(this.offsetMs - offset);
    if (backMs < 1000) return 0;
    this.offsetMs = offset;
    return backMs;
  }
}
