import { beforeEach, describe, expect, it } from 'vitest';
import { Reporter } from './reporter.js';
import type { DropReport } from './reporter.js';
import { FakeClock } from './rig/fake-clock.js';
import { Ledger } from './stats.js';

const LOSS: DropReport = { kind: 'inference', reason: 'buffer_full', message: 'full', count: 1 };

describe('Reporter', () => {
  let clock: FakeClock;
  let drops: DropReport[];
  let lines: string[];
  let reporter: Reporter;

  beforeEach(() => {
    clock = new FakeClock();
    drops = [];
    lines = [];
    const hooks = {
      onDrop: (report: DropReport): void => void drops.push(report),
      onReject: undefined,
      warn: (line: string): void => void lines.push(line),
    };
    reporter = new Reporter(hooks, new Ledger(), clock);
  });

  it('adds up what is equal and tells it once a second', () => {
    for (let i = 0; i < 1_000; i++) reporter.dropped(LOSS);
    expect(drops).toEqual([]);
    clock.advance(0);
    expect(drops).toEqual([{ ...LOSS, count: 1_000 }]);
    reporter.dropped(LOSS);
    clock.advance(999);
    expect(drops).toHaveLength(1);
    clock.advance(1);
    expect(drops).toHaveLength(2);
  });

  it('keeps few of many different messages, and loses no count', () => {
    for (let i = 0; i < 5_000; i++) reporter.dropped({ ...LOSS, message: `message ${String(i)}` });
    clock.advance(0);
    expect(drops.length).toBeLessThanOrEqual(101);
    expect(drops.reduce((sum, report) => sum + report.count, 0)).toBe(5_000);
  });

  it('warns once while an episode lasts, and of a flapping one once a minute', () => {
    reporter.warnOnce('outage', 'away');
    clock.advance(3_600_000);
    reporter.warnOnce('outage', 'still away');
    expect(lines).toEqual(['[tidemark] away']);
    for (let second = 0; second < 120; second++) {
      reporter.over('outage');
      reporter.warnOnce('outage', 'away again');
      clock.advance(1_000);
    }
    expect(lines).toEqual(['[tidemark] away', '[tidemark] away again', '[tidemark] away again']);
  });

  it('lets no control character of the server reach the log, nor a page of text', () => {
    reporter.warnOnce('refusal', `evil\r\n[tidemark] all is well\u001b[2J${'x'.repeat(10_000)}`);
    expect(lines[0]).toMatch(/^\[tidemark\] evil {2}\[tidemark\] all is well \[2Jx+$/);
    expect(lines[0]?.length).toBeLessThan(500);
  });
});
