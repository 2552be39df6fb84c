import type { Kysely, Migration } from 'kysely';

/** writers makes the table of how far the sequence numbers of each writer of points may have been given. */
export const writers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('writers')
      .addColumn('slot', 'integer', (column) => column.primaryKey().notNull())
      .addColumn('reserved_seq', 'bigint', (column) => column.notNull())
      .execute();
  },
};
