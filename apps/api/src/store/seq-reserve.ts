import type { FaultEpisode } from '@tidemark/program';

/** SeqBook keeps up to which sequence number a slot's holders may have numbered points. */
export interface SeqBook {
  reservedSeq(slot: number): Promise<number>;
  reserve(slot: number, seq: number): Promise<void>;
}

/** SeqReserveOptions are whose numbers are reserved, where, and what is known of earlier ones besides. */
export interface SeqReserveOptions {
  readonly book: SeqBook;
  readonly slot: number;
  /** No number up to this one may be given. */
  readonly leastSeq: number;
  /** Told of each further reservation. */
  readonly reserving: Pick<FaultEpisode, 'failed' | 'worked'>;
  /** Time between looks at how many are used up, default 10 s. */
  readonly everyMs?: number;
}

/**
 * RESERVED is how many numbers are reserved at a time: 100 s of the clock by which numbers begin, which runs faster than
 * any load, a million a second; at 80,000 points a second they last 21 minutes. It is no multiple of what the low digits of
 * a timestamp tell apart, nor do its first hundred multiples come near one: points that a client sends again after a crash must not
 * fall on those of the life before.
 */
export const RESERVED = 100_381_966;

/**
 * SeqReserve sees to it that no sequence number is given twice under a slot, whoever held it before and whatever clocks
 * did: also where the server of points, which knows its highest one, cannot be asked. Numbers are reserved ahead, so
 * that a crash costs some of them and nothing else.
 */
export class SeqReserve {
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: SeqReserveOptions,
    /** The highest number that may have been given before: the next one is the first. */
    readonly lastSeq: number,
    private reservedSeq: number,
  ) {}

  /** open reserves the first numbers; rejects where the book cannot be read or written. */
  static async open(options: SeqReserveOptions): Promise<SeqReserve> {
    const { book, slot, leastSeq } = options;
    const lastSeq = Math.max(leastSeq, await book.reservedSeq(slot));
    const reservedSeq = lastSeq + RESERVED;
    await book.reserve(slot, reservedSeq);
    return new SeqReserve(options, lastSeq, reservedSeq);
  }

  /** follow reserves further numbers whenever half of them are given; `given` answers the highest so far. */
  follow(given: () => number): void {
    this.timer = setInterval(() => void this.renew(given()), this.options.everyMs ?? 10_000);
    this.timer.unref();
  }

  /** renew reserves further numbers where half are used up. It never rejects. */
  async renew(givenSeq: number): Promise<void> {
    if (this.reservedSeq - givenSeq > RESERVED / 2) return;
    const { book, slot, reserving } = this.options;
    const reservedSeq = givenSeq + RESERVED;
    try {
      await book.reserve(slot, reservedSeq);
      this.reservedSeq = reservedSeq;
      reserving.worked();
    } catch (error) {
      // There are enough for some minutes more, and beyond them the clock by which the next life begins.
      reserving.failed(error);
    }
  }

  /** close ends following. */
  close(): void {
    clearInterval(this.timer);
  }
}
