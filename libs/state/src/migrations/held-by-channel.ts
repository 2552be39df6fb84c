import type { Kysely, Migration } from 'kysely';

/** heldByChannel tells apart what waits for a place on its channel from what waits for one of its own subject. */
export const heldByChannel: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .alterTable('deliveries')
      .addColumn('held_by_channel', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
