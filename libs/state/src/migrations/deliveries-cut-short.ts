import { type Kysely, type Migration, sql } from 'kysely';

/** deliveriesCutShort keeps when a process ended while it was sending a delivery, and finds such rows. */
export const deliveriesCutShort: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('deliveries').addColumn('cut_short_ms', 'bigint').execute();
    await db.schema
      .createIndex('deliveries_cut_short')
      .on('deliveries')
      .columns(['cut_short_ms'])
      .where(sql<boolean>`cut_short_ms IS NOT NULL`)
      .execute();
  },
};
