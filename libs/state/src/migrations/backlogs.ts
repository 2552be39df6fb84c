import type { Kysely, Migration } from 'kysely';

interface Revisions {
  readonly revisions: { readonly topic: string; readonly revision: number };
}

/** backlogs makes the table of what waits at each instance for the server of points. */
export const backlogs: Migration = {
  async up(db: Kysely<Revisions>): Promise<void> {
    await db.schema
      .createTable('backlogs')
      .addColumn('writer', 'text', (column) => column.primaryKey().notNull())
      .addColumn('points', 'bigint', (column) => column.notNull())
      .addColumn('oldest_ms', 'bigint', (column) => column.notNull())
      .addColumn('updated_ms', 'bigint', (column) => column.notNull())
      .execute();
    await db.insertInto('revisions').values({ topic: 'backlogs', revision: 0 }).execute();
  },
};
