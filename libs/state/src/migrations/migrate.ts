import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { backlogs } from './backlogs.js';
import { claims } from './claims.js';
import { deliveriesCutShort } from './deliveries-cut-short.js';
import { deliveriesReleased } from './deliveries-released.js';
import { heldByChannel } from './held-by-channel.js';
import { initialSchema } from './initial-schema.js';
import { leases } from './leases.js';
import { revisions } from './revisions.js';
import { writers } from './writers.js';

/** MIGRATIONS are applied in the order of their names; a name once released is never changed. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-initial-schema': initialSchema,
  '0002-deliveries-released': deliveriesReleased,
  '0003-claims': claims,
  '0004-leases': leases,
  '0005-revisions': revisions,
  '0006-writers': writers,
  '0007-backlogs': backlogs,
  '0008-held-by-channel': heldByChannel,
  '0009-deliveries-cut-short': deliveriesCutShort,
};

/** UnknownSchemaError says that the database holds migrations which this version does not know. */
export class UnknownSchemaError extends Error {
  constructor(readonly unknown: readonly string[]) {
    super(
      `the state was written by a newer version of Tidemark (it has ${unknown.join(', ')}): ` +
        'start that version, or restore a backup made before the upgrade',
    );
    this.name = 'UnknownSchemaError';
  }
}

/** migrate brings the schema up to date, all or nothing; it rejects with `UnknownSchemaError` for a newer schema. */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const unknown = (await appliedMigrations(db)).filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) throw new UnknownSchemaError(unknown);
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw new Error('the state schema could not be brought up to date', { cause: error });
}

async function appliedMigrations<T>(db: Kysely<T>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === 'kysely_migration')) return [];
  const { rows } = await sql<{ name: string }>`SELECT name FROM kysely_migration ORDER BY name`.execute(db);
  return rows.map((row) => row.name);
}
