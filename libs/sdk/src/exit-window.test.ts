import { describe, expect, it } from 'vitest';
import { ExitWindow } from './exit-window.js';

describe('ExitWindow', () => {
  it('opens at the first end of the process, for its length', () => {
    const window = new ExitWindow(2_000);
    expect(window.isOpen(100)).toBe(false);
    expect(window.turn(100)).toBe('first');
    expect([window.isOpen(2_099), window.isOpen(2_100)]).toEqual([true, false]);
  });

  it('is not made longer by further ends of the same process', () => {
    const window = new ExitWindow(2_000);
    expect([0, 500, 1_999, 2_000, 11_999].map((now) => window.turn(now))).toEqual([
      'first',
      'again',
      'again',
      'over',
      'over',
    ]);
    expect(window.until).toBe(2_000);
  });

  it('opens again for a process that went on for long after', () => {
    const window = new ExitWindow(2_000);
    window.turn(0);
    window.giveUp();
    expect(window.turn(12_001)).toBe('first');
    expect(window.isOpen(12_002)).toBe(true);
  });

  it('keeps the process for tries within it only, and for none once given up', () => {
    const window = new ExitWindow(2_000);
    window.turn(0);
    expect([window.waitsFor(1_999, 10), window.waitsFor(2_000, 10)]).toEqual([true, false]);
    window.giveUp();
    expect([window.waitsFor(1_999, 10), window.turn(20)]).toEqual([false, 'over']);
  });

  it('never opens with a length of zero', () => {
    const window = new ExitWindow(0);
    expect([window.turn(0), window.isOpen(0)]).toEqual(['over', false]);
  });
});
