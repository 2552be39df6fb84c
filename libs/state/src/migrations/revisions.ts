import type { Kysely, Migration } from 'kysely';

/** revisions makes the table that says how often each kind of configuration was changed. */
export const revisions: Migration = {
  async up(db: Kysely<{ revisions: { topic: string; revision: number } }>): Promise<void> {
    await db.schema
      .createTable('revisions')
      .addColumn('topic', 'text', (column) => column.primaryKey().notNull())
      .addColumn('revision', 'bigint', (column) => column.notNull())
      .execute();
    const topics = ['projects', 'models', 'channels', 'keys'];
    await db
      .insertInto('revisions')
      .values(topics.map((topic) => ({ topic, revision: 0 })))
      .execute();
  },
};
