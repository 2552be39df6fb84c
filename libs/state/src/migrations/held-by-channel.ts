import { type Kysely, type Migration, sql } from 'kysely';

/** heldByChannel tells apart what waits for a place on its channel from what waits for one of its own subject, and finds what waits on a channel. */
export const heldByChannel: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('deliveries')
      .addColumn('held_by_channel', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createIndex('deliveries_held')
      .on('deliveries')
      .columns(['project', 'channel_id', 'release_ms'])
      .where(sql<boolean>`status = 'suppressed' AND release_ms IS NOT NULL`)
      .execute();
    await db.schema
      .createIndex('deliveries_waiting')
      .on('deliveries')
      .columns(['project', 'channel_id', 'model_id', 'created_ms'])
      .where(
        sql<boolean>`held_by_channel = 1 AND (status = 'pending' OR status = 'suppressed' AND release_ms IS NOT NULL)`,
      )
      .execute();
  },
};
