import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../platform/is-missing.js';
import { makeFolder } from '../../platform/make-folder.js';
import type { DeadLetterReason } from './decide-drain.js';
import { countLines } from './line-pieces.js';

/** DeadLettersOptions say where dead letters are kept and bound them. */
export interface DeadLettersOptions {
  readonly folder: string;
  /** Bytes of both files together; the older half goes when they are full. */
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly wallMs: () => number;
}

/** DeadLetterStats count lines since the process started. */
export interface DeadLetterStats {
  readonly lines: Readonly<Record<DeadLetterReason, number>>;
  /** Lines that are in no file any more, or never were: to make room, or because the disk did not take them. */
  readonly forgottenLines: number;
}

/** DeadLetterFate is what became of lines that were set aside: they are in a file, or in none for this reason. */
export type DeadLetterFate = { readonly outcome: 'kept' } | { readonly outcome: 'forgotten'; readonly error: unknown };

/** What is in a file. */
interface Letters {
  readonly bytes: number;
  readonly lines: number;
  /** Whether its last line has no end. */
  readonly endsInside: boolean;
}

const NONE: Letters = { bytes: 0, lines: 0, endsInside: false };

/**
 * DeadLetters keeps, for a person to look at, the lines that the server will never take: one JSON object a line in
 * dead-letter.ndjson, and dead-letter.1.ndjson before that. A crash may repeat some of them. That person may move the
 * files away, cut or delete them at any time.
 */
export class DeadLetters {
  private readonly counts: Record<DeadLetterReason, number> = { bad_points: 0, beside_bad_points: 0, too_large: 0 };
  private forgotten = 0;
  private current = NONE;
  private older = NONE;

  private constructor(private readonly options: DeadLettersOptions) {}

  /** open makes the folder where it is missing. What is in it is looked at with the first lines that come. */
  static open(options: DeadLettersOptions): DeadLetters {
    makeFolder(options.folder);
    return new DeadLetters(options);
  }

  /**
   * add keeps lines with the reason and what the server said. It never rejects: what a disk does not take is counted, and
   * told. One call at a time.
   */
  async add(lines: Uint8Array, reason: DeadLetterReason, message: string): Promise<DeadLetterFate> {
    const at = new Date(this.options.wallMs()).toISOString();
    const texts = Buffer.from(lines).toString().trimEnd().split('\n');
    this.counts[reason] += texts.length;
    const entries = texts.map((line) => `${JSON.stringify({ at, reason, message, line })}\n`);
    try {
      await this.write(Buffer.from(entries.join('')), entries.length);
      return { outcome: 'kept' };
    } catch (error) {
      this.forgotten += entries.length;
      return { outcome: 'forgotten', error };
    }
  }

  stats(): DeadLetterStats {
    return { lines: { ...this.counts }, forgottenLines: this.forgotten };
  }

  private async write(entries: Buffer, lines: number): Promise<void> {
    const half = this.options.maxBytes / 2;
    const longest = entries.length + 1; // with the end of a line that was cut off
    if (longest > half) throw new Error('a dead letter is too large to keep');
    this.current = await this.look('dead-letter.ndjson', this.current);
    if (this.current.bytes + longest > half) await this.turnOver();
    const bytes = this.current.endsInside ? Buffer.concat([Buffer.from('\n'), entries]) : entries;
    const handle = await open(this.file('dead-letter.ndjson'), 'a', 0o600);
    try {
      await handle.appendFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    const { bytes: before, lines: linesBefore } = this.current;
    this.current = { bytes: before + bytes.length, lines: linesBefore + lines, endsInside: false };
  }

  private async turnOver(): Promise<void> {
    const older = await this.look('dead-letter.1.ndjson', this.older);
    await rename(this.file('dead-letter.ndjson'), this.file('dead-letter.1.ndjson'));
    this.forgotten += older.lines;
    this.older = this.current;
    this.current = NONE;
  }

  /** look reads a file anew that is not as long as what is known of it. One that cannot be read is no empty one. */
  private async look(name: string, known: Letters): Promise<Letters> {
    try {
      if ((await stat(this.file(name))).size === known.bytes) return known;
      const bytes = await readFile(this.file(name));
      return { bytes: bytes.length, lines: countLines(bytes), endsInside: bytes.length > 0 && bytes.at(-1) !== 10 };
    } catch (error) {
      if (isMissing(error)) return NONE;
      throw error;
    }
  }

  private file(name: string): string {
    return join(this.options.folder, name);
  }
}
