import type { State } from './database.js';
import { type Delivery, literally } from './delivery.js';

/**
 * RecentSend is what a limiter must know of a message that went out or may have: `ended` is the last try that the ledger knows
 * the end of, `cut_short` one whose process ended first, so that nobody knows whether it arrived. A delivery may have both.
 */
export type RecentSend = Pick<
  Delivery,
  'id' | 'project' | 'channelId' | 'modelId' | 'alertType' | 'severity' | 'eventKind'
> & { readonly how: 'ended' | 'cut_short'; readonly atMs: number };

const COLUMNS = ['id', 'project', 'channel_id', 'model_id', 'alert_type', 'severity', 'event_kind'] as const;
type Row = Awaited<ReturnType<typeof readSending>>[number];

/** readRecentSends reads what was sent since `sinceMs`, oldest first; what is `sending` still was cut short by `nowMs`. */
export async function readRecentSends(state: State, sinceMs: number, nowMs: number): Promise<RecentSend[]> {
  const [delivered, failed, released, sending] = await Promise.all([
    readDelivered(state, sinceMs),
    readFailed(state, sinceMs),
    readReleased(state, sinceMs),
    readSending(state),
  ]);
  const ended = [...delivered, ...failed].map((row) => toSend(row, 'ended', row.at_ms));
  const cut = [...released.map((row) => toSend(row, 'cut_short', row.at_ms)), ...sending.map(cutShortAt(nowMs))];
  return [...ended, ...cut].filter(({ atMs }) => atMs >= sinceMs).sort((a, b) => a.atMs - b.atMs);
}

function readDelivered({ db }: State, sinceMs: number) {
  return db
    .selectFrom('deliveries')
    .select([...COLUMNS, 'delivered_ms as at_ms'])
    .where('status', '=', literally('delivered'))
    .where('delivered_ms', '>=', sinceMs)
    .execute();
}

/**
 * Not what is suppressed: the limits can hold back only what has no place of an earlier try any more, the window of a subject
 * being the longer one. What was tried and then cut short counts twice, which is one too many and never one too few.
 */
function readFailed({ db }: State, sinceMs: number) {
  return (
    db
      .selectFrom('deliveries')
      .select(COLUMNS)
      .select((is) =>
        is
          .selectFrom('delivery_attempts')
          .select((of) => of.fn.max('at_ms').as('at_ms'))
          .whereRef('delivery_id', '=', 'deliveries.id')
          .as('at_ms'),
      )
      // Twice, so that the partial index of what is unfinished serves.
      .where('status', 'in', literally('pending', 'sending', 'dead'))
      .where('status', '!=', 'sending')
      .where('updated_ms', '>=', sinceMs)
      .execute()
  );
}

function readReleased({ db }: State, sinceMs: number) {
  return db
    .selectFrom('deliveries')
    .select([...COLUMNS, 'cut_short_ms as at_ms'])
    .where('cut_short_ms', 'is not', null)
    .where('cut_short_ms', '>=', sinceMs)
    .execute();
}

/** An earlier try of these is none of its own: what is sent again takes along the place that it had. */
function readSending({ db }: State) {
  return db
    .selectFrom('deliveries')
    .select(COLUMNS)
    .where('status', 'in', literally('pending', 'sending', 'dead'))
    .where('status', '=', 'sending')
    .execute();
}

/** When it was sent nobody knows: it was claimed at some time, and may have waited for its place since. */
function cutShortAt(nowMs: number): (row: Row) => RecentSend {
  return (row) => toSend(row, 'cut_short', nowMs);
}

function toSend(row: Row, how: RecentSend['how'], atMs: number | null): RecentSend {
  return {
    id: row.id,
    project: row.project,
    channelId: row.channel_id,
    modelId: row.model_id,
    alertType: row.alert_type,
    severity: row.severity,
    eventKind: row.event_kind,
    how,
    atMs: atMs ?? -Infinity,
  };
}
