import type { LineSink } from '../line-sink.js';
import { DeadLetters, type DeadLetterStats } from './dead-letters.js';
import type { RetryPace } from './decide-drain.js';
import { Drainer } from './drainer.js';
import { type AbortableSink, Lane } from './lane.js';
import { countLines } from './line-pieces.js';
import { Semaphore } from './semaphore.js';
import { Spool, type SpoolStats } from './spool.js';
import { SpoolFault } from './spool-fault.js';
import type { SpoolReport } from './spool-report.js';

/** SpoolingSinkOptions say where lines go, where they wait, and bound both. */
export interface SpoolingSinkOptions {
  readonly sink: AbortableSink;
  readonly folder: string;
  /** Bytes of the spool; past it writes are refused. */
  readonly maxBytes: number;
  readonly segmentBytes?: number;
  /** Writes at a time, past the spool; 1 when absent. */
  readonly directWrites?: number;
  /** Bytes of the dead letters. */
  readonly maxDeadLetterBytes?: number;
  /** Told the lines of each batch that an earlier process left, oldest first, while it is opened. */
  readonly onFound?: (lines: Uint8Array) => void;
  /** How long a writer waits for what is before it in the spool, and then for the server, before its lines go to the spool. */
  readonly directDeadlineMs?: number;
  /** How long a request out of the spool may take. */
  readonly drainDeadlineMs?: number;
  /** Bytes of lines in one request out of the spool. */
  readonly drainBatchBytes?: number;
  readonly pace?: RetryPace;
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
  /** Answers numbers in 0..1. */
  readonly random: () => number;
  /** Called with what a person may want to know; it must not throw. */
  readonly report: (report: SpoolReport) => void;
}

/** Backlog is what was acknowledged and cannot be read yet. */
export interface Backlog {
  readonly points: number;
  /** Age of the oldest in ms; 0 when there is none. */
  readonly oldestMs: number;
}

/** SpoolingSinkStats are what telemetry shows of the spool. */
export interface SpoolingSinkStats extends SpoolStats {
  readonly deadLetters: DeadLetterStats;
  /** Writes that were refused, by the code of the SpoolFault. */
  readonly refusedWrites: Readonly<Record<string, number>>;
}

/**
 * SpoolingSink is a LineSink that acknowledges also while the one behind it is away, slow or refuses: the lines are then
 * on disk and reach it later, in order. A write that ran into its deadline may have been stored and is stored again;
 * InfluxDB keeps one of two equal points. There are at most so many requests at a time: `directWrites` and the drainer's.
 */
export class SpoolingSink implements LineSink {
  private readonly turns: Semaphore;
  private readonly refused: Record<string, number> = {};

  private constructor(
    private readonly spool: Spool,
    private readonly deadLetters: DeadLetters,
    private readonly drainer: Drainer,
    private readonly lanes: readonly Lane[],
    private readonly directDeadlineMs: number,
  ) {
    this.turns = new Semaphore(lanes.length);
  }

  /** open reads what an earlier process left in the folder and begins to drain it. */
  static async open(options: SpoolingSinkOptions): Promise<SpoolingSink> {
    const { sink, folder, maxBytes, segmentBytes, wallMs, steadyMs, random, report, pace, onFound } = options;
    const onTorn = (segment: number, frames: number): void => report({ kind: 'torn', segment, frames });
    const spool = await Spool.open({ folder, maxBytes, segmentBytes, wallMs, onTorn, onFound });
    const maxLetters = options.maxDeadLetterBytes ?? 16 * 1024 * 1024;
    const deadLetters = DeadLetters.open({ folder, maxBytes: maxLetters, wallMs });
    const lane = new Lane(sink, options.drainDeadlineMs ?? 10_000);
    const batchBytes = options.drainBatchBytes ?? 1024 * 1024;
    const drainer = new Drainer({ spool, lane, deadLetters, batchBytes, pace, steadyMs, random, report });
    const deadlineMs = options.directDeadlineMs ?? 2000;
    const lanes = Array.from({ length: options.directWrites ?? 1 }, () => new Lane(sink, deadlineMs));
    const spooling = new SpoolingSink(spool, deadLetters, drainer, lanes, deadlineMs);
    drainer.wake();
    return spooling;
  }

  /** writeLines is write for a caller who does not know how many points the lines are: each counts as one. */
  writeLines(lines: Uint8Array): Promise<void> {
    return this.write(lines, countLines(ended(lines)));
  }

  /**
   * write resolves when the lines are stored or on disk, and rejects with a SpoolFault when the spool does not take them.
   * Writes begin in the order of the calls, so many at a time as they may.
   */
  write(given: Uint8Array, points: number): Promise<void> {
    return this.turns.run(async () => {
      const lines = ended(given);
      if (lines.length === 0) return;
      if (await this.wroteDirectly(lines)) return;
      try {
        await this.spool.append(lines, points);
      } catch (error) {
        const code = error instanceof SpoolFault ? error.code : 'UNKNOWN';
        this.refused[code] = (this.refused[code] ?? 0) + 1;
        throw error;
      } finally {
        this.drainer.wake();
      }
    });
  }

  /** hurry has what waits tried at once, not when its time has come: the server has just been found to be there. */
  hurry(): void {
    this.drainer.hurry();
  }

  /** backlog tells how far reads lag behind what was acknowledged. */
  backlog(): Backlog {
    const { points, oldestMs } = this.spool.stats();
    return { points, oldestMs };
  }

  stats(): SpoolingSinkStats {
    return { ...this.spool.stats(), deadLetters: this.deadLetters.stats(), refusedWrites: { ...this.refused } };
  }

  /** close ends when no request is on its way any more; what waits stays on disk. */
  async close(): Promise<void> {
    await this.drainer.close();
    await this.turns.runAlone(() => this.spool.close());
  }

  /**
   * Past the spool only when nothing is in it: what waits is not to be overtaken for long. A lane is not free while a
   * request that was given up has not ended.
   */
  private async wroteDirectly(lines: Uint8Array): Promise<boolean> {
    if (!(await this.drainer.makeWay(lines.length, this.directDeadlineMs))) return false;
    const lane = this.lanes.find(({ isFree }) => isFree);
    if (!this.drainer.mayTry || !lane) return false;
    const fault = await lane.send(lines);
    if (fault) this.drainer.blame(fault);
    else this.drainer.praise();
    return fault === null;
  }
}

/** The last line without its end would grow together with the first of the next batch. */
function ended(lines: Uint8Array): Uint8Array {
  return lines.length === 0 || lines.at(-1) === 10 ? lines : Buffer.concat([lines, Buffer.from('\n')]);
}
