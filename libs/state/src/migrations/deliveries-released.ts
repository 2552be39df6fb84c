import { type Kysely, type Migration, sql } from 'kysely';

/** deliveriesReleased lets a suppressed delivery wait for the end of its window, and finds what is open about a model. */
export const deliveriesReleased: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('deliveries').addColumn('release_ms', 'bigint').execute();
    await db.schema
      .createIndex('deliveries_to_release')
      .on('deliveries')
      .columns(['release_ms'])
      .where(sql<boolean>`status = 'suppressed' AND release_ms IS NOT NULL`)
      .execute();
    await db.schema
      .createIndex('deliveries_open_by_model')
      .on('deliveries')
      .columns(['project', 'channel_id', 'model_id'])
      .where(sql<boolean>`status IN ('pending', 'sending')`)
      .execute();
  },
};
