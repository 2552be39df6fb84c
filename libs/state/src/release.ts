import { type ExpressionBuilder, sql } from 'kysely';
import type { State, Write } from './database.js';
import { type Delivery, literally } from './delivery.js';
import type { Schema } from './schema.js';

/** Subject is what a suppressed delivery waits for: another message to the same channel about the same model. */
export type Subject = Pick<Delivery, 'project' | 'channelId' | 'modelId'>;

/** ChannelRate is how many messages a channel takes in any stretch of `windowMs` milliseconds. */
export interface ChannelRate {
  readonly max: number;
  readonly windowMs: number;
}

/** WaitingModels are the models of which messages wait for a place on a channel: how many, and some with the oldest messages. */
export interface WaitingModels {
  readonly count: number;
  readonly first: readonly string[];
}

/** keepNewestRelease leaves a release to the newest of what is held back of a subject: one message stands for all of it. */
export function keepNewestRelease({ db }: State, { project, channelId, modelId }: Subject): Write {
  const query = db
    .updateTable('deliveries')
    .set({ release_ms: null })
    .where(isHeld)
    .where('project', '=', project)
    .where('channel_id', '=', channelId)
    .where('model_id', '=', modelId)
    .where((is) =>
      is.exists(
        is
          .selectFrom('deliveries as newer')
          .select('newer.id')
          .where('newer.status', '=', literally('suppressed'))
          .where('newer.summarised_ms', 'is', null)
          .where('newer.release_ms', 'is not', null)
          .where('newer.project', '=', project)
          .where('newer.channel_id', '=', channelId)
          .where('newer.model_id', '=', modelId)
          .where(
            sql<boolean>`(newer.created_ms, newer.sequence, newer.id) > (deliveries.created_ms, deliveries.sequence, deliveries.id)`,
          ),
      ),
    );
  return { query: query.compile() };
}

/** Delay is from when, until when at least, and at which rate the releases of a full channel wait. */
export interface Delay extends ChannelRate {
  readonly nowMs: number;
  readonly untilMs: number;
}

/**
 * delayReleases lets everything of a channel that could be released at `nowMs` wait for a place: until `untilMs`, when the
 * next one is free, or longer. No more than `max` become free in a window, so of more than that each `max` wait one more
 * window, by age. It writes every row of the channel that is due, however many.
 */
export function delayReleases(
  { db }: State,
  { project, channelId }: Pick<Subject, 'project' | 'channelId'>,
  { nowMs, untilMs, max, windowMs }: Delay,
): Write {
  const waiting = db
    .selectFrom('deliveries')
    .select('id')
    .select(
      sql<number>`(row_number() OVER (ORDER BY created_ms, sequence, id) - 1) / CAST(${max} AS integer)`.as('turn'),
    )
    // What cannot go takes no turn: it is summed up, or may be asked for as soon as it can.
    .where(isReleasable)
    .where('project', '=', project)
    .where('channel_id', '=', channelId)
    .where('release_ms', '<=', nowMs);
  const query = db
    .updateTable('deliveries')
    .from(waiting.as('waiting'))
    .set({ release_ms: sql<number>`${untilMs} + ${windowMs} * waiting.turn`, held_by_channel: 1 })
    .whereRef('deliveries.id', '=', 'waiting.id')
    // Once more, as another worker may have released or delayed it since it was listed.
    .where('deliveries.status', '=', literally('suppressed'))
    .where('deliveries.release_ms', '<=', nowMs);
  return { query: query.compile() };
}

/** shiftReleases moves the end of every window by `byMs`. */
export function shiftReleases({ db }: State, byMs: number): Write {
  const query = db
    .updateTable('deliveries')
    .set((is) => ({ release_ms: is('release_ms', '+', byMs) }))
    .where(isHeld);
  return { query: query.compile() };
}

/**
 * A round that a full channel refuses is refused within so many milliseconds: those that were refused last, older perhaps,
 * are due so much later than the rest.
 */
const ROUND_MS = 500;
/** Of more than so many that are due, only those that have been due for longest are put in order of their age: it is done anew for each round. */
const MOST_COMPARED = 1000;

/**
 * releaseOldest makes pending again up to `limit` of what is due, those that were made first on each channel in front. Each
 * channel gets its share, and as many go as are due there; what the channel refused a moment later than these, and
 * waits for it longer, goes in their stead.
 */
export function releaseOldest({ db }: State, nowMs: number, limit: number): Write {
  const first = db
    .selectFrom('deliveries')
    .select(['id', 'project', 'channel_id', 'release_ms', 'created_ms', 'sequence'])
    .where(isReleasable)
    .where('release_ms', '<=', nowMs + ROUND_MS)
    .where((is) => is.or([is('release_ms', '<=', nowMs), is('held_by_channel', '=', 1)]))
    .orderBy('release_ms')
    .orderBy('created_ms')
    .orderBy('sequence')
    .orderBy('id')
    .limit(MOST_COMPARED);
  const listed = db
    .selectFrom(first.as('first'))
    .select(['id', 'release_ms', 'created_ms', 'sequence'])
    .select(
      sql<number>`row_number() OVER (PARTITION BY project, channel_id ORDER BY created_ms, sequence, id)`.as('place'),
    )
    .select(
      sql<number>`sum(CASE WHEN release_ms <= ${nowMs} THEN 1 ELSE 0 END) OVER (PARTITION BY project, channel_id)`.as(
        'places',
      ),
    );
  const due = db
    .selectFrom(listed.as('listed'))
    .select(['id', 'release_ms'])
    .select(sql<number>`row_number() OVER (ORDER BY place, release_ms, created_ms, sequence, id)`.as('turn'))
    .whereRef('place', '<=', 'places')
    .orderBy('turn')
    .limit(limit);
  const query = db
    .updateTable('deliveries')
    .from(due.as('due'))
    // Due a millisecond after one another, all by now: so they are claimed in this order.
    .set({ status: 'pending', attempts: 0, due_ms: sql<number>`${nowMs - limit} + due.turn`, scheduled_ms: nowMs })
    .set({ updated_ms: nowMs, release_ms: null, summarised_in: null })
    .whereRef('deliveries.id', '=', 'due.id')
    // Once more, as another may have released or delayed it since it was listed.
    .where('deliveries.status', '=', literally('suppressed'))
    .whereRef('deliveries.release_ms', '=', 'due.release_ms');
  return { query: query.compile() };
}

/** readWaiting reads of which models other than this one messages wait for a place on a channel, those with the oldest first. */
export async function readWaiting(
  { db }: State,
  { project, channelId, modelId }: Subject,
  limit: number,
): Promise<WaitingModels> {
  // Apart from the groups: for their order SQLite would read all that was never summed up, in the order of its models.
  const waiting = db
    .selectFrom('deliveries')
    .select(['model_id', 'created_ms'])
    .where(isWaiting)
    .where('project', '=', project)
    .where('channel_id', '=', channelId)
    .where('model_id', '!=', modelId);
  const rows = await db
    .with(
      (cte) => cte('waiting').materialized(),
      () => waiting,
    )
    .selectFrom('waiting')
    .select('model_id')
    .select(sql<number>`count(*) OVER ()`.as('count')) // of the models: groups are made before windows
    .groupBy('model_id')
    .orderBy((is) => is.fn.min('created_ms'))
    .orderBy('model_id')
    .limit(limit)
    .execute();
  return { count: Number(rows[0]?.count ?? 0), first: rows.map((row) => row.model_id) };
}

/**
 * isReleasable holds for what may be released once its time has come. While anything else of its subject is open it
 * may not: that message will sum it up, and must not be overtaken by it.
 */
export function isReleasable(is: ExpressionBuilder<Schema, 'deliveries'>) {
  const open = is
    .selectFrom('deliveries as open')
    .select('open.id')
    .whereRef('open.project', '=', 'deliveries.project')
    .whereRef('open.channel_id', '=', 'deliveries.channel_id')
    .whereRef('open.model_id', '=', 'deliveries.model_id')
    .where('open.status', 'in', literally('pending', 'sending'));
  return is.and([isHeld(is), is.not(is.exists(open))]);
}

function isHeld(is: ExpressionBuilder<Schema, 'deliveries'>) {
  return is.and([
    is('deliveries.status', '=', literally('suppressed')),
    is('deliveries.release_ms', 'is not', null),
    is('deliveries.summarised_ms', 'is', null),
  ]);
}

/**
 * isWaiting holds for what the limit of its channel held back and has not let through since: also for what was released
 * and is about to ask again. It is the condition of an index, word for word.
 */
function isWaiting() {
  return sql<boolean>`held_by_channel = 1 AND (status = 'pending' OR status = 'suppressed' AND release_ms IS NOT NULL)`;
}
