import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LeaseOutcome } from '@tidemark/state';
import { isMissing } from '../platform/is-missing.js';
import { syncPath } from '../platform/sync-path.js';

/** SlotLeases are where slots are held. */
export interface SlotLeases {
  acquire(request: { readonly name: string; readonly holder: string; readonly ttlMs: number }): Promise<LeaseOutcome>;
}

/** WriterSlotOptions are where slots are held, and where this instance remembers who it is. */
export interface WriterSlotOptions {
  readonly leases: SlotLeases;
  /** A file in a folder that belongs to this process alone: after a restart it is the same instance with the same slot. */
  readonly file: string;
  readonly steadyMs: () => number;
  /** onLost is told when another process has the slot, or may have it soon: nothing more may be written. */
  readonly onLost: (error: Error) => void;
  /** onFault is told of the first renewal that failed, once until one succeeds. */
  readonly onFault: (error: unknown) => void;
}

/** SLOTS is how many processes may write points at once. */
export const SLOTS = 32;

/** Long, so that an instance that stands still for minutes finds its slot untaken; renewed much more often. */
const TTL_MS = 10 * 60_000;
const RENEW_EVERY_MS = 30_000;

/**
 * WriterSlot is the small number under which one process at a time writes points. The slot stays with the instance over a
 * restart, so that what it had not counted in rollups is counted by itself.
 */
export class WriterSlot {
  private constructor(
    readonly number: number,
    /** Who this instance is, over all its lives. */
    readonly holder: string,
    private readonly timer: NodeJS.Timeout,
  ) {}

  /**
   * take takes the slot that this instance had, or the lowest free one. It throws where all are taken, and where the file
   * cannot be read or written: under another name the instance would leave what is known of it behind.
   */
  static async take(options: WriterSlotOptions): Promise<WriterSlot> {
    const { leases, file, steadyMs } = options;
    const before = await recall(file);
    const holder = before?.holder ?? randomBytes(12).toString('hex');
    const ask = (slot: number) => leases.acquire({ name: `writer/${slot}`, holder, ttlMs: TTL_MS });
    const inOrder = Array.from({ length: SLOTS }, (_, slot) => slot);
    for (const slot of before ? [before.slot, ...inOrder] : inOrder) {
      const askedMs = steadyMs();
      if ((await ask(slot)).outcome !== 'held') continue;
      await remember(file, { holder, slot });
      return new WriterSlot(
        slot,
        holder,
        renewing(() => ask(slot), askedMs, options),
      );
    }
    throw new Error(`all ${SLOTS} places for processes that write points are taken; is there an instance too many?`);
  }

  /** close stops renewing; the slot stays with this instance until its time runs out. */
  close(): void {
    clearInterval(this.timer);
  }
}

/** A slot that could not be renewed for nearly its whole time is given up before somebody else can have it. */
function renewing(
  ask: () => Promise<LeaseOutcome>,
  heldSinceMs: number,
  { steadyMs, onLost, onFault }: WriterSlotOptions,
): NodeJS.Timeout {
  let confirmedMs = heldSinceMs;
  let hasFailed = false;
  const renew = async (): Promise<void> => {
    const askedMs = steadyMs();
    try {
      const { outcome } = await ask();
      if (outcome !== 'held') return lose('another process writes points under the number of this one');
      confirmedMs = askedMs;
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) onFault(error);
      hasFailed = true;
      if (steadyMs() - confirmedMs > TTL_MS - 2 * RENEW_EVERY_MS)
        lose('the number under which this process writes points could not be renewed for minutes');
    }
  };
  const lose = (reason: string): void => {
    clearInterval(timer);
    onLost(new Error(reason));
  };
  const timer = setInterval(() => void renew(), RENEW_EVERY_MS);
  timer.unref();
  return timer;
}

interface Identity {
  readonly holder: string;
  readonly slot: number;
}

/** recall answers null for a new instance, and for a file that was damaged: it takes a free slot. */
async function recall(file: string): Promise<Identity | null> {
  const kept = parsed(await readKept(file));
  if (typeof kept !== 'object' || kept === null || !('holder' in kept) || !('slot' in kept)) return null;
  const { holder, slot } = kept;
  const isSlot = typeof slot === 'number' && Number.isInteger(slot) && slot >= 0 && slot < SLOTS;
  return typeof holder === 'string' && isSlot ? { holder, slot } : null;
}

/** A file that is there and cannot be read says who this instance is all the same. */
async function readKept(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    const reason = error instanceof Error ? error.message : String(error);
    const message = `what this process is called among those that write points cannot be read: ${reason}`;
    throw new Error(message, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** remember replaces the file whole: a crash or a full disk must not leave half of a name. */
async function remember(file: string, identity: Identity): Promise<void> {
  const beside = `${file}.new`;
  await writeFile(beside, JSON.stringify(identity), { mode: 0o600 });
  await syncPath(beside);
  await rename(beside, file);
  await syncPath(dirname(file));
}
