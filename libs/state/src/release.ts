import { type ExpressionBuilder, sql } from 'kysely';
import type { State, Write } from './database.js';
import { type Delivery, literally } from './delivery.js';
import type { Schema } from './schema.js';

/** Subject is what a suppressed delivery waits for: another message to the same channel about the same model. */
export type Subject = Pick<Delivery, 'project' | 'channelId' | 'modelId'>;

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

/** delayReleases lets everything of a channel that could be released at `nowMs` wait until `untilMs`: it has no place. */
export function delayReleases(
  { db }: State,
  { project, channelId }: Subject,
  { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
): Write {
  const query = db
    .updateTable('deliveries')
    .set({ release_ms: untilMs })
    .where(isHeld)
    .where('project', '=', project)
    .where('channel_id', '=', channelId)
    .where('release_ms', '<=', nowMs);
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
