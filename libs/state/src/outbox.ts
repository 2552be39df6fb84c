import {
  type CompiledQuery,
  type Expression,
  type ExpressionBuilder,
  sql,
  type SqlBool,
  type Updateable,
} from 'kysely';
import type { Claim } from './claims.js';
import { type Durability, type State, type Write, type WriteOutcome, writeReturning } from './database.js';
import { type AttemptOutcome, type Delivery, literally, toDelivery } from './delivery.js';
import { isFirstOfItsAlert } from './delivery-order.js';
import { readRecentSends, type RecentSend } from './recent-sends.js';
import {
  type Delay,
  delayReleases,
  isReleasable,
  keepNewestRelease,
  readWaiting,
  releaseOldest,
  shiftReleases,
  type Subject,
  type WaitingModels,
} from './release.js';
import type { Schema } from './schema.js';

/**
 * MarkOutcome says whether the end of a try was written; it is refused when the delivery is not being sent (any more), and
 * when another worker has claimed it since the claim that the mark was made under.
 */
export type MarkOutcome =
  { readonly outcome: 'marked' } | { readonly outcome: 'refused'; readonly code: 'not_sending' | 'claim_lost' };

/** AttemptEnd is how an attempt ended: when, after how long, and what to keep of the answer (no secrets). */
export interface AttemptEnd {
  readonly atMs: number;
  readonly durationMs: number;
  readonly detail: string | null;
}

/** Held is why a delivery was suppressed, when, and when it goes out after all if nothing has summed it up by then. */
export interface Held {
  readonly reason: string;
  readonly atMs: number;
  readonly releaseMs: number;
  /** Whether its channel has no place for anything, or only its subject none. */
  readonly byChannel: boolean;
}

/**
 * Outbox is the consumer's side of the deliveries: claim what is due, then write how each ended. Every claimed delivery
 * is `sending` until it is marked; deliveries of one alert to one channel are handed out one at a time, in order.
 */
export class Outbox {
  constructor(private readonly state: State) {}

  /**
   * claimDue takes up to `limit` pending deliveries that are due, those of `excludeChannelIds` left alone, and makes
   * them `sending`. A claim that a power cut takes back is claimed again, with the same event id.
   */
  async claimDue(nowMs: number, limit: number, excludeChannelIds: readonly string[] = []): Promise<Delivery[]> {
    const due = this.state.db
      .selectFrom('deliveries')
      .select('id')
      .where((is) => claimable(is, excludeChannelIds))
      .where('due_ms', '<=', nowMs)
      .orderBy('due_ms')
      .orderBy('sequence')
      .limit(limit);
    const claim = this.state.db
      .updateTable('deliveries')
      .set((is) => ({ status: 'sending', updated_ms: nowMs, ...unclaimed, claim_token: is('claim_token', '+', 1) }))
      .where('id', 'in', due)
      .where('status', '=', literally('pending'))
      .returningAll();
    const rows = await writeReturning(this.state, claim.compile(), { durability: 'lazy' });
    return rows.map(toDelivery).sort((a, b) => a.dueMs - b.dueMs || a.sequence - b.sequence);
  }

  /** nextDueMs answers when the next pending delivery may be claimed, or null when none waits. */
  async nextDueMs(excludeChannelIds: readonly string[] = []): Promise<number | null> {
    const row = await this.state.db
      .selectFrom('deliveries')
      .select('due_ms')
      .where((is) => claimable(is, excludeChannelIds))
      .orderBy('due_ms')
      .limit(1)
      .executeTakeFirst();
    return row?.due_ms ?? null;
  }

  /**
   * releaseDue makes pending again, due now and with a fresh schedule, up to `limit` suppressed deliveries whose window
   * is over and of which nothing has been said since, of each channel the oldest; answers how many. Each stands for all that
   * was held back with it.
   */
  async releaseDue(nowMs: number, limit: number): Promise<number> {
    return this.changes(releaseOldest(this.state, nowMs, limit).query, 'lazy');
  }

  /** nextReleaseMs answers when the next suppressed delivery may be released, or null when none waits. */
  async nextReleaseMs(): Promise<number | null> {
    const row = await this.state.db
      .selectFrom('deliveries')
      .select('release_ms')
      .where(isReleasable)
      .orderBy('release_ms')
      .limit(1)
      .executeTakeFirst();
    return row?.release_ms ?? null;
  }

  /**
   * releaseSending makes pending again what a process that ended had claimed, and keeps that it may have been sent; answers how
   * many. Call it at start, and at the end for what was aborted.
   */
  async releaseSending(nowMs: number): Promise<number> {
    const query = this.state.db
      .updateTable('deliveries')
      .set({ status: 'pending', due_ms: nowMs, updated_ms: nowMs, cut_short_ms: nowMs })
      .where('status', 'in', literally('pending', 'sending', 'dead'))
      .where('status', '=', 'sending');
    return this.changes(query.compile());
  }

  /** shiftDue moves the due time of everything open, and the end of every window, by `byMs` (negative when the wall clock was set back). */
  async shiftDue(byMs: number): Promise<void> {
    const query = this.state.db
      .updateTable('deliveries')
      .set((is) => ({ due_ms: is('due_ms', '+', byMs), scheduled_ms: is('scheduled_ms', '+', byMs) }))
      .where('status', 'in', literally('pending', 'sending', 'dead'))
      .where('status', '!=', 'dead');
    await this.state.write([{ query: query.compile() }, shiftReleases(this.state, byMs)]);
  }

  /** release gives a claimed delivery back untried, to be claimed again at `dueMs` (a process that stops, a full channel). */
  async release(
    id: string,
    until: { readonly dueMs: number; readonly atMs: number },
    claim?: Claim,
  ): Promise<MarkOutcome> {
    const query = this.sending(id, claim).set({ status: 'pending', due_ms: until.dueMs, updated_ms: until.atMs });
    return this.outcomeOf(await this.state.write([{ query: query.compile(), expect: 1 }]), claim);
  }

  /** markDelivered ends a delivery that went out, and what it summarised, in one transaction. */
  async markDelivered(id: string, done: AttemptEnd, claim?: Claim): Promise<MarkOutcome> {
    const summarised = this.state.db
      .updateTable('deliveries')
      .set({ summarised_ms: done.atMs, updated_ms: done.atMs, release_ms: null })
      .where('summarised_in', '=', id)
      .where('status', '=', literally('suppressed'))
      .where('summarised_ms', 'is', null);
    const end = { status: 'delivered', delivered_ms: done.atMs, last_error: null } as const;
    return this.mark(id, done, { end, outcome: 'delivered', also: [{ query: summarised.compile() }], claim });
  }

  /** markRetry lets a delivery wait until `dueMs`; `detail` is the reason. */
  async markRetry(id: string, done: AttemptEnd & { readonly dueMs: number }, claim?: Claim): Promise<MarkOutcome> {
    const end = { status: 'pending', due_ms: done.dueMs, last_error: done.detail } as const;
    return this.mark(id, done, { end, outcome: 'retry', claim });
  }

  /** markDead ends a delivery that will not be tried again unless it is replayed; `detail` is the reason. */
  async markDead(id: string, done: AttemptEnd, claim?: Claim): Promise<MarkOutcome> {
    return this.mark(id, done, { end: { status: 'dead', last_error: done.detail }, outcome: 'dead', claim });
  }

  /** markSuppressed ends a delivery that the limiter held back; the next message that goes out counts it. */
  async markSuppressed(
    { id, ...subject }: Subject & { readonly id: string },
    held: Held,
    claim?: Claim,
  ): Promise<MarkOutcome> {
    const { reason, atMs, releaseMs, byChannel } = held;
    const end = { status: 'suppressed', last_error: reason, updated_ms: atMs, release_ms: releaseMs } as const;
    const query = this.sending(id, claim)
      .set(end)
      .set({ held_by_channel: byChannel ? 1 : 0 })
      .compile();
    const writes = [{ query, expect: 1 }, keepNewestRelease(this.state, subject)];
    return this.outcomeOf(await this.state.write(writes), claim);
  }

  /**
   * delayReleases lets what is due on a channel that has just refused something wait in turns; answers how many. Not in the
   * transaction of the mark: that holds a row of its subject, and two of them would wait for each other's. A delay that
   * is lost costs each of those rows one more ask.
   */
  async delayReleases(channel: Pick<Subject, 'project' | 'channelId'>, delay: Delay): Promise<number> {
    return this.changes(delayReleases(this.state, channel, delay).query, 'lazy');
  }

  /**
   * suppressedSince sets aside, for the summary in delivery `id`, what was held back from the same channel and model
   * and not summarised yet, and counts it. `markDelivered(id)` ends those rows; if it never goes out, another takes them.
   */
  async suppressedSince({ id, project, channelId, modelId }: Delivery): Promise<number> {
    const { db } = this.state;
    const held = (is: ExpressionBuilder<Schema, 'deliveries'>) =>
      is.and([
        is('status', '=', literally('suppressed')),
        is('summarised_ms', 'is', null),
        is('project', '=', project),
        is('channel_id', '=', channelId),
        is('model_id', '=', modelId),
      ]);
    const any = await db.selectFrom('deliveries').select('id').where(held).limit(1).executeTakeFirst();
    if (!any) return 0;
    const take = db
      .updateTable('deliveries')
      .set({ summarised_in: id })
      .where(held)
      .where((is) => is.not(is.exists(openSummary(is, id))));
    return this.changes(take.compile(), 'lazy');
  }

  /** waitingModels answers of which other models messages wait for a place on the channel of a delivery, naming up to `limit`. */
  async waitingModels(subject: Subject, limit: number): Promise<WaitingModels> {
    return readWaiting(this.state, subject, limit);
  }

  /** firingWasDelivered tells whether a channel has been told that this alert fires. */
  async firingWasDelivered(alertId: string, channelId: string): Promise<boolean> {
    const row = await this.state.db
      .selectFrom('deliveries')
      .select('id')
      .where('alert_id', '=', alertId)
      .where('channel_id', '=', channelId)
      .where('status', '=', literally('delivered'))
      .where('event_kind', 'in', ['fired', 'escalated', 'repeated'])
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * recentSends answers what went out or may have since `sinceMs`, oldest first, to fill a limiter after a restart. Call it
   * before releaseSending: what is being sent when nobody works was cut short, and counts as of `nowMs`.
   */
  async recentSends(sinceMs: number, nowMs: number): Promise<RecentSend[]> {
    return readRecentSends(this.state, sinceMs, nowMs);
  }

  private async mark(id: string, done: AttemptEnd, ending: Ending): Promise<MarkOutcome> {
    const end = this.sending(id, ending.claim).set((is) => ({
      ...ending.end,
      attempts: is('attempts', '+', 1),
      updated_ms: done.atMs,
      held_by_channel: 0, // its channel had a place for it
    }));
    const attempt = this.state.db.insertInto('delivery_attempts').values({
      delivery_id: id,
      number: sql<number>`(SELECT coalesce(max(number), 0) + 1 FROM delivery_attempts WHERE delivery_id = ${id})`,
      at_ms: done.atMs,
      outcome: ending.outcome,
      detail: done.detail,
      duration_ms: done.durationMs,
    });
    const writes = [
      { query: end.compile(), expect: 1 },
      { query: attempt.compile(), expect: 1 },
      ...(ending.also ?? []),
    ];
    return this.outcomeOf(await this.state.write(writes), ending.claim);
  }

  private sending(id: string, claim?: Claim) {
    const query = this.state.db.updateTable('deliveries').where('id', '=', id).where('status', '=', 'sending');
    return claim ? query.where('claim_token', '=', claim.token) : query;
  }

  private async outcomeOf(done: WriteOutcome, claim?: Claim): Promise<MarkOutcome> {
    if (done.outcome === 'committed') return { outcome: 'marked' };
    return { outcome: 'refused', code: claim && (await this.isLost(claim)) ? 'claim_lost' : 'not_sending' };
  }

  private async isLost({ id, token }: Claim): Promise<boolean> {
    const query = this.state.db.selectFrom('deliveries').select('claim_token').where('id', '=', id);
    return (await query.executeTakeFirst())?.claim_token !== token;
  }

  private async changes(query: CompiledQuery, durability?: Durability): Promise<number> {
    const done = await this.state.write([{ query }], durability);
    return done.outcome === 'committed' ? (done.results[0]?.changes ?? 0) : 0;
  }
}

interface Ending {
  readonly end: Updateable<Schema['deliveries']>;
  readonly outcome: AttemptOutcome;
  readonly also?: readonly Write[];
  readonly claim?: Claim | undefined;
}

/** What the embedded queue claims is its own until it releases it, without a time. */
const unclaimed = { claimed_by: null, claimed_until_ms: null };

function claimable(is: ExpressionBuilder<Schema, 'deliveries'>, excludeChannelIds: readonly string[]) {
  const all: Expression<SqlBool>[] = [is('deliveries.status', '=', literally('pending')), isFirstOfItsAlert(is)];
  if (excludeChannelIds.length > 0) all.push(is('deliveries.channel_id', 'not in', padded(excludeChannelIds)));
  return is.and(all);
}

/** What another open delivery has set aside is its own; when that one died, anybody may take it. */
function openSummary(is: ExpressionBuilder<Schema, 'deliveries'>, id: string) {
  return is
    .selectFrom('deliveries as summary')
    .select('summary.id')
    .whereRef('summary.id', '=', 'deliveries.summarised_in')
    .where('summary.id', '!=', id)
    .where('summary.status', 'in', literally('pending', 'sending'));
}

/** padded repeats the last item up to a power of two, so that lists of any length make few different SQL texts. */
function padded(items: readonly string[]): string[] {
  const size = 2 ** Math.ceil(Math.log2(items.length));
  return Array.from({ length: size }, (_, index) => items[Math.min(index, items.length - 1)] ?? '');
}
