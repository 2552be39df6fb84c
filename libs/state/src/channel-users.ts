import { type RawBuilder, sql } from 'kysely';
import type { State, Write } from './database.js';

/** ChannelUsers are the models that notify one channel: how many there are, and the ids of the first ones registered. */
export interface ChannelUsers {
  readonly total: number;
  readonly modelIds: readonly string[];
}

/** More would make the sentence that names them too long to read. */
const MAX_NAMED = 10;

/** readUsers finds the models of a project that name a channel. */
export async function readUsers({ db }: State, project: string, channelId: string): Promise<ChannelUsers> {
  const rows = await db
    .selectFrom('models')
    .select(['id', sql<number>`count(*) over ()`.as('total')])
    .where('project', '=', project)
    .where(naming(channelId))
    .orderBy('position')
    .orderBy('id')
    .limit(MAX_NAMED)
    .execute();
  return { total: rows[0]?.total ?? 0, modelIds: rows.map(({ id }) => id) };
}

/** takeOut removes a channel from the list of every model that names it; a list without another becomes that of all channels. */
export function takeOut({ db }: State, { project, channelId, nowMs }: Taken) {
  return db
    .updateTable('models')
    .set({ channel_ids: sql<string | null>`nullif(${without(channelId)}, '[]')`, updated_ms: nowMs })
    .where('project', '=', project)
    .where(naming(channelId))
    .returningAll()
    .compile();
}

/** Taken is a channel that goes. */
export interface Taken {
  readonly project: string;
  readonly channelId: string;
  readonly nowMs: number;
}

/** unused undoes its batch if a model names the channel: as a statement that may touch no row, it needs no reading first. */
export function unused({ db }: State, project: string, channelId: string): Write {
  const query = db
    .updateTable('models')
    .set((is) => ({ updated_ms: is.ref('updated_ms') }))
    .where('project', '=', project)
    .where(naming(channelId));
  return { query: query.compile(), expect: 0 };
}

/**
 * held undoes its batch unless the project has all these channels, and keeps them from being removed until its end: it
 * touches their rows, and a removal begins with the row of its channel.
 */
export function held({ db }: State, project: string, channelIds: readonly string[]): Write[] {
  const ids = [...new Set(channelIds)];
  if (ids.length === 0) return [];
  const query = db
    .updateTable('channels')
    .set((is) => ({ updated_ms: is.ref('updated_ms') }))
    .where('project', '=', project)
    .where('id', 'in', ids)
    .where('removed_ms', 'is', null);
  return [{ query: query.compile(), expect: ids.length }];
}

/** Lists are JSON text; inside another id its quotes would be escaped. Both engines replace, only one knows JSON by default. */
function naming(channelId: string): RawBuilder<boolean> {
  return sql<boolean>`replace(channel_ids, ${JSON.stringify(channelId)}, '') <> channel_ids`;
}

function without(channelId: string): RawBuilder<string> {
  const text = JSON.stringify(channelId);
  return sql<string>`replace(replace(replace(channel_ids, ${`${text},`}, ''), ${`,${text}`}, ''), ${text}, '')`;
}
