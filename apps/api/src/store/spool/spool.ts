import { decodeFrames, encodeFrame, type Frame, FRAME_HEADER_BYTES } from './frame.js';
import { SegmentFolder } from './segment-folder.js';
import { SegmentTail } from './segment-tail.js';
import { Semaphore } from './semaphore.js';
import { diskFault, SpoolFault } from './spool-fault.js';

/** SpoolOptions say where a spool is and bound it. */
export interface SpoolOptions {
  readonly folder: string;
  /** Bytes of all segments together; past it batches are refused. */
  readonly maxBytes: number;
  /** Bytes of one segment: as much may be drained twice after a crash. */
  readonly segmentBytes?: number;
  /** Epoch ms. */
  readonly wallMs: () => number;
  /** onTorn is told of frames that were cut or altered: in which segment, and how many at least. */
  readonly onTorn?: (segment: number, frames: number) => void;
  /** onFound is told the lines of each batch that an earlier process left, oldest first, before the spool is open. */
  readonly onFound?: (lines: Uint8Array) => void;
}

/** SpoolBatch is what is next to be drained: the lines of the oldest frames. */
export interface SpoolBatch {
  readonly lines: Uint8Array;
  readonly frames: number;
  readonly points: number;
}

/** SpoolStats are gauges of what waits, and counters since the spool was opened. */
export interface SpoolStats {
  readonly points: number;
  /** Bytes on disk; a segment counts until all of it is drained. */
  readonly bytes: number;
  /** Age of the oldest frame in ms; 0 when nothing waits. */
  readonly oldestMs: number;
  readonly appendedPoints: number;
  readonly drainedPoints: number;
  readonly tornFrames: number;
}

interface Segment {
  readonly number: number;
  bytes: number;
  /** What follows is about the frames that were not read yet: where they begin, their points, the time of the first. */
  readBytes: number;
  points: number;
  firstMs: number | null;
  /** Damaged stretches among them that were counted already. */
  torn: number;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;

/**
 * Spool keeps acknowledged batches on disk, in order, until they are drained: the reader takes a batch, and accepts it
 * when it is stored elsewhere. What was drained is remembered by deleting whole segments, so a crash drains the last one
 * again; it is therefore for data that may be stored twice without harm. One process may have it open.
 */
export class Spool {
  private readonly mutex = new Semaphore(1);
  private readonly segments: Segment[] = [];
  /** Frames of the oldest segment that were read and not accepted yet. */
  private head: Frame[] = [];
  private closed = false;
  private bytes = 0;
  private points = 0;
  private waiting = 0;
  private appendedPoints = 0;
  private drainedPoints = 0;
  private tornFrames = 0;

  private constructor(
    private readonly options: SpoolOptions,
    private readonly folder: SegmentFolder,
    private readonly tail: SegmentTail,
  ) {}

  /** open reads every segment that is there; damaged frames are counted and left out. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const folder = await SegmentFolder.open(options.folder);
    const numbers = await folder.numbers();
    const tail = new SegmentTail(folder, options.segmentBytes ?? SEGMENT_BYTES, numbers.at(-1) ?? 0);
    const spool = new Spool(options, folder, tail);
    for (const number of numbers) await spool.scan(number);
    return spool;
  }

  /** isEmpty tells whether everything is drained, and the disk knows. */
  get isEmpty(): boolean {
    return this.segments.length === 0;
  }

  /** waitingBytes is the size of the frames that are not drained. */
  get waitingBytes(): number {
    return this.waiting;
  }

  /** append resolves when the lines are on disk behind all others, or rejects with a SpoolFault; then nothing is kept. */
  append(lines: Uint8Array, points: number): Promise<void> {
    return this.mutex.run(async () => {
      if (this.closed) throw new SpoolFault('SPOOL_CLOSED', 'the spool is closed');
      const atMs = this.options.wallMs();
      const frame = encodeFrame({ lines, points, atMs });
      if (this.bytes + frame.length > this.options.maxBytes)
        throw new SpoolFault('SPOOL_FULL', `the spool holds ${this.bytes} of ${this.options.maxBytes} bytes`);
      const number = await this.tail.append(frame).catch((error: unknown) => {
        throw diskFault(error);
      });
      const segment = this.segmentOf(number);
      segment.bytes += frame.length;
      segment.points += points;
      segment.firstMs ??= atMs;
      this.count(frame.length, points);
      this.appendedPoints += points;
    });
  }

  /** take answers the oldest frames, one at least and up to so many bytes of lines; null when nothing waits. */
  take(maxBytes: number): Promise<SpoolBatch | null> {
    return this.mutex.run(async () => {
      await this.fillHead();
      const frames: Frame[] = [];
      let bytes = 0;
      for (const frame of this.head) {
        if (frames.length > 0 && bytes + frame.lines.length > maxBytes) break;
        frames.push(frame);
        bytes += frame.lines.length;
      }
      if (frames.length === 0) return null;
      const lines = Buffer.concat(frames.map((frame) => frame.lines));
      return { lines, frames: frames.length, points: pointsOf(frames) };
    });
  }

  /** accept forgets the batch that was taken last. If it rejects, the batch is forgotten and a file is still to be deleted. */
  accept(batch: SpoolBatch): Promise<void> {
    return this.mutex.run(async () => {
      const frames = this.head.splice(0, batch.frames);
      for (const { lines, points } of frames) {
        this.waiting -= lines.length + FRAME_HEADER_BYTES;
        this.points -= points;
      }
      this.drainedPoints += batch.points;
      await this.dropDrained();
    });
  }

  stats(): SpoolStats {
    const { bytes, points, appendedPoints, drainedPoints, tornFrames } = this;
    const firstMs = this.head[0]?.atMs ?? this.segments.find((segment) => segment.firstMs !== null)?.firstMs ?? null;
    const oldestMs = firstMs === null ? 0 : Math.max(0, this.options.wallMs() - firstMs);
    return { points, bytes, oldestMs, appendedPoints, drainedPoints, tornFrames };
  }

  /** close ends the files when what was begun is done; everything that waits stays on disk. */
  close(): Promise<void> {
    return this.mutex.run(async () => {
      this.closed = true;
      await this.tail.close();
    });
  }

  private async scan(number: number): Promise<void> {
    const bytes = await this.folder.read(number);
    const { frames, torn } = decodeFrames(bytes);
    this.countTorn(number, torn);
    if (frames.length === 0) return this.folder.remove(number);
    for (const { lines } of frames) this.options.onFound?.(lines);
    const points = pointsOf(frames);
    const firstMs = frames[0]?.atMs ?? null;
    this.segments.push({ number, bytes: bytes.length, readBytes: 0, points, firstMs, torn });
    this.count(bytes.length, points);
  }

  private async fillHead(): Promise<void> {
    await this.dropDrained();
    for (let segment = this.segments[0]; segment && this.head.length === 0; segment = this.segments[0]) {
      const { frames, torn } = decodeFrames(await this.folder.read(segment.number, segment.readBytes, segment.bytes));
      const unread = segment.bytes - segment.readBytes;
      const whole = frames.reduce((sum, { lines }) => sum + lines.length + FRAME_HEADER_BYTES, 0);
      // A file that somebody cut between two frames shows no damage but that it is short.
      this.countTorn(segment.number, Math.max(0, (torn === 0 && whole < unread ? 1 : torn) - segment.torn));
      // What is damaged no longer waits.
      this.waiting += whole - unread;
      this.points += pointsOf(frames) - segment.points;
      Object.assign(segment, { readBytes: segment.bytes, points: 0, firstMs: null, torn: 0 });
      this.head = [...frames];
      await this.dropDrained();
    }
  }

  /** Deleting comes before `isEmpty`: what was drained must not come back after what is stored past the spool. */
  private async dropDrained(): Promise<void> {
    for (let segment = this.segments[0]; segment; segment = this.segments[0]) {
      if (this.head.length > 0 || segment.readBytes < segment.bytes) return;
      await this.tail.sealIf(segment.number);
      await this.folder.remove(segment.number);
      this.segments.shift();
      this.bytes -= segment.bytes;
    }
  }

  private segmentOf(number: number): Segment {
    const last = this.segments.at(-1);
    if (last?.number === number) return last;
    const segment: Segment = { number, bytes: 0, readBytes: 0, points: 0, firstMs: null, torn: 0 };
    this.segments.push(segment);
    return segment;
  }

  private count(bytes: number, points: number): void {
    this.bytes += bytes;
    this.waiting += bytes;
    this.points += points;
  }

  private countTorn(segment: number, frames: number): void {
    if (frames === 0) return;
    this.tornFrames += frames;
    this.options.onTorn?.(segment, frames);
  }
}

function pointsOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { points }) => sum + points, 0);
}
