import type { Kysely, Migration } from 'kysely';

/** claims lets one of several workers hold a delivery for a while: who, until when, and under which token. */
export const claims: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const add = (name: string, type: 'text' | 'bigint') => db.schema.alterTable('deliveries').addColumn(name, type);
    await add('claimed_by', 'text').execute();
    await add('claimed_until_ms', 'bigint').execute();
    await db.schema
      .alterTable('deliveries')
      .addColumn('claim_token', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
