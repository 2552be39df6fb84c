import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SpoolingSink, type SpoolingSinkOptions } from '../spooling-sink.js';
import type { SpoolReport } from '../spool-report.js';
import { HttpSink } from './http-sink.js';

/** QUICK_PACE is a pace for tests: the waits are short, what a server asks for is honoured. */
export const QUICK_PACE = { firstMs: 5, lastMs: 100, slowMs: 40, maxAskedMs: 300_000 };

/** Spooling is a SpoolingSink before a server, in a folder that goes with the test, and what it reported. */
export class Spooling {
  readonly reports: SpoolReport[] = [];
  /** The lines that were acknowledged, in order. */
  readonly acknowledged: string[] = [];
  private next = 1;
  private current: SpoolingSink | null = null;

  private constructor(
    readonly folder: string,
    private readonly url: string,
    private readonly given: Partial<SpoolingSinkOptions>,
  ) {}

  /** open opens one for the test that runs now, which also closes it. */
  static async open(url: string, given: Partial<SpoolingSinkOptions> = {}): Promise<Spooling> {
    const spooling = new Spooling(await mkdtemp(join(tmpdir(), 'tidemark-spooling-')), url, given);
    await spooling.reopen();
    onTestFinished(async () => {
      await spooling.current?.close();
      await rm(spooling.folder, { recursive: true });
    });
    return spooling;
  }

  get sink(): SpoolingSink {
    if (!this.current) throw new Error('the sink is not open');
    return this.current;
  }

  /** reopen closes the sink and opens another one on the same folder, as a restart does. */
  async reopen(): Promise<void> {
    await this.current?.close();
    this.current = await SpoolingSink.open({
      sink: new HttpSink(this.url),
      folder: this.folder,
      maxBytes: 50_000_000,
      directDeadlineMs: 600,
      drainDeadlineMs: 1000,
      pace: QUICK_PACE,
      wallMs: () => Date.now(),
      steadyMs: () => performance.now(),
      random: Math.random,
      report: (report) => void this.reports.push(report),
      ...this.given,
    });
  }

  /** write writes a batch of so many new lines, and answers them when they are acknowledged. */
  async write(count = 1): Promise<string[]> {
    const lines = Array.from({ length: count }, () => this.line(this.next++));
    await this.sink.write(Buffer.from(`${lines.join('\n')}\n`), count);
    this.acknowledged.push(...lines);
    return lines;
  }

  /** line is the line of a number, each a point of its own. */
  line(number: number): string {
    return `m,model=a latency=${number} ${1_772_366_400_000_000_000n + BigInt(number)}`;
  }

  /** told lists the reports of a kind. */
  told<K extends SpoolReport['kind']>(kind: K): Extract<SpoolReport, { kind: K }>[] {
    return this.reports.filter((report): report is Extract<SpoolReport, { kind: K }> => report.kind === kind);
  }
}
