import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Alert } from './alert.js';
import type { Schema } from './schema.js';

/** AlertCounts are what one instance counted of an alert since it saved last: `occurrences` is to be added, `peak` the highest. */
export type AlertCounts = Pick<Alert, 'id' | 'occurrences' | 'value' | 'peak' | 'lastBreachMs'>;

/** AddedCounts are the columns that counts are added to. */
export type AddedCounts = Readonly<
  Record<'occurrences' | 'last_breach_ms', RawBuilder<number>> & Record<'value' | 'peak', RawBuilder<number | null>>
>;

/** addedCounts adds to what is in the row, so that the order in which several instances save does not matter. */
export function addedCounts({ occurrences, value, peak, lastBreachMs }: Omit<AlertCounts, 'id'>): AddedCounts {
  return {
    occurrences: sql`occurrences + ${occurrences}`,
    value: sql`CASE WHEN last_breach_ms <= ${lastBreachMs} THEN ${value} ELSE value END`,
    peak: sql`CASE WHEN peak IS NULL OR peak < ${peak} THEN ${peak} ELSE peak END`,
    last_breach_ms: sql`CASE WHEN last_breach_ms < ${lastBreachMs} THEN ${lastBreachMs} ELSE last_breach_ms END`,
  };
}

/** addCountsQuery answers what binds counts to one statement: compiling it for each alert would cost more than running it. */
export function addCountsQuery(db: Kysely<Schema>): (counts: AlertCounts) => CompiledQuery {
  const template = db
    .updateTable('alerts')
    .set(addedCounts({ occurrences: 0, value: 0, peak: 0, lastBreachMs: 0 }))
    .where('id', '=', '')
    .where('resolved_ms', 'is', null)
    .returningAll()
    .compile();
  return ({ id, occurrences, value, peak, lastBreachMs }) => ({
    ...template,
    parameters: [occurrences, lastBreachMs, value, peak, peak, lastBreachMs, lastBreachMs, id],
  });
}
