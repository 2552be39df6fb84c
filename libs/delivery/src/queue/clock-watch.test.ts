import { describe, expect, it } from 'vitest';
import { ClockWatch } from './clock-watch.js';

describe('ClockWatch', () => {
  const watch = () => {
    const clocks = { wall: 1_000_000, monotonic: 0 };
    const watched = new ClockWatch(
      () => clocks.wall,
      () => clocks.monotonic,
    );
    return { watched, pass: (ms: number, jump = 0) => ((clocks.wall += ms + jump), (clocks.monotonic += ms)) };
  };

  it('sees nothing while both clocks go on together', () => {
    const { watched, pass } = watch();
    for (let step = 0; step < 100; step += 1) {
      pass(60_000);
      expect(watched.setBackMs()).toBe(0);
    }
  });

  it('answers once by how much the wall clock was set back', () => {
    const { watched, pass } = watch();
    pass(5000, -3_600_000);
    expect(watched.setBackMs()).toBe(3_600_000);
    pass(5000);
    expect(watched.setBackMs()).toBe(0);
  });

  it('says nothing of a clock that was set forward, and sees it being set right again', () => {
    const { watched, pass } = watch();
    pass(5000, 3_600_000);
    expect(watched.setBackMs()).toBe(0);
    pass(5000, -3_600_000);
    expect(watched.setBackMs()).toBe(3_600_000);
  });

  it('lets small corrections add up until they matter', () => {
    const { watched, pass } = watch();
    pass(1000, -600);
    expect(watched.setBackMs()).toBe(0);
    pass(1000, -600);
    expect(watched.setBackMs()).toBe(1200);
  });
});
