import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { type State, writeReturning } from './database.js';
import { type Delivery, literally, toDelivery } from './delivery.js';
import { isFirstOfItsAlert } from './delivery-order.js';
import type { DeliveriesTable, Schema } from './schema.js';

/** Claim is the right to deliver and to mark a delivery, until another claim of the same delivery replaces it. */
export interface Claim {
  /** The delivery's id. */
  readonly id: string;
  /** Rises with each claim of the delivery: the highest is the one that counts. */
  readonly token: number;
}

/** ClaimOptions say who claims, when, and for how long; times are the wall clock of whoever claims, epoch ms. */
export interface ClaimOptions {
  readonly nowMs: number;
  /** Longer than any delivery may take, and than the clocks of the workers may differ. */
  readonly leaseMs: number;
  readonly holder: string;
}

/**
 * ClaimOutcome is a claim, or why there is none: `not_due` yet, `blocked` by an earlier open delivery of its alert and
 * channel, `held` by a claim that has not run out, `ended` as delivered, suppressed or dead.
 */
export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly delivery: Delivery; readonly claim: Claim }
  | { readonly outcome: 'refused'; readonly code: 'not_found' | 'not_due' | 'blocked' | 'held' | 'ended' };

/** DueDelivery is a delivery that somebody ought to claim, from `dueMs` on. */
export type DueDelivery = Pick<Delivery, 'id' | 'project' | 'dueMs'>;

/** DueOptions bound a list of due deliveries: how many in all and of one channel (default 200), and how far ahead. */
export interface DueOptions {
  readonly limit: number;
  readonly horizonMs: number;
  readonly perChannel?: number;
}

/**
 * How far ahead of the clock a row's last change may lie: clocks of machines differ. A row from beyond that was written
 * before the clocks were set back, and what it says of when it is due is worth nothing.
 */
const CLOCKS_DIFFER_MS = 60_000;
/** More than a channel has under way in all workers, so that it never waits for the next round. */
const DUE_PER_CHANNEL = 200;

/**
 * Claims hands deliveries to several workers, by id. A claim that ran out may be taken by another worker; the token
 * then tells the ledger which of the two still speaks for the delivery.
 */
export class Claims {
  constructor(private readonly state: State) {}

  /** claim takes a delivery that is due, or one whose claim has run out; it is then `sending`. */
  async claim(id: string, { nowMs, leaseMs, holder }: ClaimOptions): Promise<ClaimOutcome> {
    const query = this.state.db
      .updateTable('deliveries')
      .set((is) => ({
        status: 'sending',
        claimed_by: holder,
        claimed_until_ms: nowMs + leaseMs,
        claim_token: is('claim_token', '+', 1),
        updated_ms: nowMs,
      }))
      .where('id', '=', id)
      .where((is) => is.or([isDue(is, nowMs), hasRunOut(is, nowMs)]))
      .where((is) => isFirstOfItsAlert(is))
      .returningAll();
    const [row] = await writeReturning(this.state, query.compile());
    if (!row) return { outcome: 'refused', code: await this.refusal(id, nowMs) };
    return { outcome: 'claimed', delivery: toDelivery(row), claim: { id, token: row.claim_token } };
  }

  /**
   * dueForRelay lists, earliest first, what a worker must be told of: pending deliveries that may be claimed before
   * `nowMs + horizonMs`, and those that are being sent under a claim that ran out. Where there are more than `limit`,
   * each channel gets its share: one that hangs, however much it is owed, keeps no other waiting.
   */
  async dueForRelay(
    nowMs: number,
    { limit, horizonMs, perChannel = DUE_PER_CHANNEL }: DueOptions,
  ): Promise<readonly DueDelivery[]> {
    const pending = this.shared({ limit, perChannel }, (is) =>
      is.and([
        is('deliveries.status', '=', literally('pending')),
        mayBegin(is, { nowMs, beforeMs: nowMs + horizonMs }),
        isFirstOfItsAlert(is),
      ]),
    );
    const abandoned = this.shared({ limit, perChannel }, (is) =>
      is.and([
        // Twice, so that the partial index of what is unfinished serves.
        is('deliveries.status', 'in', literally('pending', 'sending', 'dead')),
        hasRunOut(is, nowMs),
      ]),
    );
    const rows = [...(await abandoned.execute()), ...(await pending.execute())];
    const taken = rows.sort((a, b) => a.place - b.place || a.due_ms - b.due_ms).slice(0, limit);
    return taken.map(({ id, project, due_ms }) => ({ id, project, dueMs: due_ms })).sort((a, b) => a.dueMs - b.dueMs);
  }

  /** The earliest of each channel come first, then their second ones: `place` counts within a channel. */
  private shared(
    { limit, perChannel }: { readonly limit: number; readonly perChannel: number },
    isWanted: (is: ExpressionBuilder<Schema, 'deliveries'>) => Expression<SqlBool>,
  ) {
    const ranked = this.state.db
      .selectFrom('deliveries')
      .select(['id', 'project', 'due_ms', 'sequence'])
      .select(({ fn }) =>
        fn
          .agg<number>('row_number')
          .over((over) => over.partitionBy(['project', 'channel_id']).orderBy('due_ms').orderBy('sequence'))
          .as('place'),
      )
      .where(isWanted);
    return this.state.db
      .selectFrom(ranked.as('ranked'))
      .select(['id', 'project', 'due_ms', 'place'])
      .where('place', '<=', perChannel)
      .orderBy('place')
      .orderBy('due_ms')
      .orderBy('sequence')
      .limit(limit);
  }

  private async refusal(id: string, nowMs: number) {
    const row = await this.state.db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? refusalOf(row, nowMs) : 'not_found';
  }
}

/** A row that could be claimed by now was freed or became due after the try: its order is all that can have been in the way. */
function refusalOf(row: Pick<DeliveriesTable, 'status' | 'due_ms' | 'claimed_until_ms' | 'updated_ms'>, nowMs: number) {
  if (row.status === 'sending') {
    return row.claimed_until_ms === null || row.claimed_until_ms > nowMs ? 'held' : 'blocked';
  }
  if (row.status !== 'pending') return 'ended';
  return row.due_ms > nowMs && row.updated_ms <= nowMs + CLOCKS_DIFFER_MS ? 'not_due' : 'blocked';
}

function isDue(is: ExpressionBuilder<Schema, 'deliveries'>, nowMs: number): Expression<SqlBool> {
  return is.and([is('deliveries.status', '=', literally('pending')), mayBegin(is, { nowMs, beforeMs: nowMs + 1 })]);
}

/** A retry that comes too early, once, does less harm than one that waits until the clock is where it was. */
function mayBegin(
  is: ExpressionBuilder<Schema, 'deliveries'>,
  { nowMs, beforeMs }: { readonly nowMs: number; readonly beforeMs: number },
): Expression<SqlBool> {
  return is.or([is('deliveries.due_ms', '<', beforeMs), is('deliveries.updated_ms', '>', nowMs + CLOCKS_DIFFER_MS)]);
}

/** What the embedded queue sends has no such time: it holds until its process releases it. */
function hasRunOut(is: ExpressionBuilder<Schema, 'deliveries'>, nowMs: number): Expression<SqlBool> {
  return is.and([is('deliveries.status', '=', literally('sending')), is('deliveries.claimed_until_ms', '<=', nowMs)]);
}
