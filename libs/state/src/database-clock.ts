import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';
import type { Schema } from './schema.js';

/** databaseNowMs is the wall clock of the database in a statement, epoch ms: one clock for all who share the database. */
export function databaseNowMs(db: Kysely<Schema>): RawBuilder<number> {
  return db.getExecutor().adapter instanceof PostgresAdapter
    ? sql`cast(floor(extract(epoch from clock_timestamp()) * 1000) as bigint)`
    : sql`cast(unixepoch('subsec') * 1000 as integer)`;
}
