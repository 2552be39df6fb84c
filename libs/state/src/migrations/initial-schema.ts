import { type Kysely, type Migration, sql } from 'kysely';

/**
 * initialSchema makes every table. Types are those that SQLite and PostgreSQL read alike: text, integer, bigint for
 * epoch ms, `double precision` (REAL in SQLite, 8 bytes in PostgreSQL, whose `real` has only 4).
 */
export const initialSchema: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await makeProjectsAndKeys(db);
    await makeModels(db);
    await makeChannels(db);
    await makeAlerts(db);
    await makeAlertEvents(db);
    await makeDeliveries(db);
    await makeDeliveryAttempts(db);
  },
};

async function makeProjectsAndKeys(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('projects')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('api_keys')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('scopes', 'text', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_ms', 'bigint')
    .addColumn('revoked_ms', 'bigint')
    .execute();
}

async function makeModels(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('models')
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('model_type', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('environment', 'text', (column) => column.notNull())
    .addColumn('thresholds', 'text', (column) => column.notNull())
    .addColumn('resolve_after_ms', 'bigint', (column) => column.notNull())
    .addColumn('repeat_interval_ms', 'bigint', (column) => column.notNull())
    .addColumn('channel_ids', 'text')
    .addColumn('drift_alerts', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('models_key', ['project', 'id'])
    .execute();
}

async function makeChannels(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('channels')
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('sealed_config', 'text', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('disabled_reason', 'text')
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_ms', 'bigint', (column) => column.notNull())
    .addColumn('removed_ms', 'bigint')
    .addPrimaryKeyConstraint('channels_key', ['project', 'id'])
    .execute();
}

async function makeAlerts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alerts')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('model_id', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('alert_type', 'text', (column) => column.notNull())
    .addColumn('incident', 'integer', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('value', 'double precision')
    .addColumn('threshold', 'double precision')
    .addColumn('peak', 'double precision')
    .addColumn('occurrences', 'bigint', (column) => column.notNull())
    .addColumn('started_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_breach_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_notified_ms', 'bigint', (column) => column.notNull())
    .addColumn('acknowledged_by', 'text')
    .addColumn('acknowledge_comment', 'text')
    .addColumn('acknowledged_ms', 'bigint')
    .addColumn('resolved_ms', 'bigint')
    .addColumn('resolved_by', 'text')
    .addColumn('resolve_comment', 'text')
    .addColumn('version', 'integer', (column) => column.notNull())
    .addUniqueConstraint('alerts_incident', ['project', 'model_id', 'rule', 'incident'])
    .execute();
  await db.schema
    .createIndex('alerts_one_firing')
    .unique()
    .on('alerts')
    .columns(['project', 'model_id', 'rule'])
    .where(sql<boolean>`resolved_ms IS NULL`)
    .execute();
  await db.schema.createIndex('alerts_by_time').on('alerts').columns(['project', 'started_ms', 'id']).execute();
  await db.schema
    .createIndex('alerts_by_model')
    .on('alerts')
    .columns(['project', 'model_id', 'started_ms', 'id'])
    .execute();
  await db.schema
    .createIndex('alerts_firing_by_time')
    .on('alerts')
    .columns(['project', 'started_ms', 'id'])
    .where(sql<boolean>`resolved_ms IS NULL`)
    .execute();
}

async function makeAlertEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alert_events')
    .addColumn('event_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.id'))
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('value', 'double precision')
    .addColumn('threshold', 'double precision')
    .addColumn('occurrences', 'bigint', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('by', 'text')
    .addColumn('comment', 'text')
    .addUniqueConstraint('alert_events_order', ['alert_id', 'sequence'])
    .execute();
}

async function makeDeliveries(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deliveries')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('alert_id', 'text', (column) => column.notNull().references('alerts.id'))
    .addColumn('event_id', 'text', (column) => column.notNull().references('alert_events.event_id'))
    .addColumn('sequence', 'integer', (column) => column.notNull())
    .addColumn('channel_id', 'text', (column) => column.notNull())
    .addColumn('model_id', 'text', (column) => column.notNull())
    .addColumn('alert_type', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('event_kind', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('due_ms', 'bigint', (column) => column.notNull())
    .addColumn('scheduled_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_error', 'text')
    .addColumn('summarised_in', 'text')
    .addColumn('summarised_ms', 'bigint')
    .addColumn('created_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_ms', 'bigint', (column) => column.notNull())
    .addColumn('delivered_ms', 'bigint')
    .execute();
  await indexDeliveries(db);
}

async function indexDeliveries(db: Kysely<unknown>): Promise<void> {
  const index = (name: string, columns: string[]) => db.schema.createIndex(name).on('deliveries').columns(columns);
  // Channel and alert ride along, so that what an unreachable channel has piled up is skipped without being read.
  await index('deliveries_due', ['due_ms', 'sequence', 'channel_id', 'alert_id'])
    .where(sql<boolean>`status = 'pending'`)
    .execute();
  await index('deliveries_open', ['alert_id', 'channel_id', 'sequence'])
    .where(sql<boolean>`status IN ('pending', 'sending')`)
    .execute();
  await index('deliveries_unfinished', ['status'])
    .where(sql<boolean>`status IN ('pending', 'sending', 'dead')`)
    .execute();
  await index('deliveries_to_summarise', ['project', 'channel_id', 'model_id'])
    .where(sql<boolean>`status = 'suppressed' AND summarised_ms IS NULL`)
    .execute();
  await index('deliveries_by_alert', ['alert_id', 'channel_id']).execute();
  await index('deliveries_by_time', ['project', 'created_ms', 'id']).execute();
  await index('deliveries_by_status', ['project', 'status', 'created_ms', 'id']).execute();
  await index('deliveries_delivered', ['delivered_ms'])
    .where(sql<boolean>`status = 'delivered'`)
    .execute();
}

async function makeDeliveryAttempts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('delivery_attempts')
    .addColumn('delivery_id', 'text', (column) => column.notNull().references('deliveries.id'))
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('detail', 'text')
    .addColumn('duration_ms', 'double precision', (column) => column.notNull())
    .addPrimaryKeyConstraint('delivery_attempts_key', ['delivery_id', 'number'])
    .execute();
}
