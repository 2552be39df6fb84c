import type { Clock } from '@tidemark/program';

/** NOON is where a ManualClock starts: 2026-03-01T12:00:00Z, epoch ms. */
export const NOON = Date.UTC(2026, 2, 1, 12);

/** ManualClock is a clock that a test moves: time passes for both hands, a jump moves the wall clock alone. */
export class ManualClock implements Clock {
  private wall = NOON;
  private steady = 5_000_000;

  readonly wallMs = (): number => this.wall;
  readonly steadyMs = (): number => this.steady;

  /** pass lets time go by. */
  pass(ms: number): void {
    this.wall += ms;
    this.steady += ms;
  }

  /** jump sets the wall clock forward or back, as an operator or NTP may. */
  jump(ms: number): void {
    this.wall += ms;
  }
}
