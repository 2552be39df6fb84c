import type { DeliveryStatus } from '@tidemark/types';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { State } from './database.js';
import { type Delivery, type DeliveryAttempt, literally, toAttempt, toDelivery } from './delivery.js';
import type { Schema } from './schema.js';

/** DeliveryFilter chooses deliveries of one project. */
export interface DeliveryFilter {
  readonly project: string;
  readonly status?: DeliveryStatus;
  readonly alertId?: string;
  readonly limit: number;
  /** The last delivery of the page before this one. */
  readonly before?: Pick<Delivery, 'createdMs' | 'id'>;
}

/** ReplayOutcome tells whether a dead delivery waits again. */
export type ReplayOutcome =
  | { readonly outcome: 'replayed'; readonly delivery: Delivery }
  | { readonly outcome: 'refused'; readonly code: 'not_found' | 'not_dead' };

/** Deliveries is the ledger: what became of every notification. */
export class Deliveries {
  constructor(private readonly state: State) {}

  /** list answers deliveries newest first, by the time of their event. */
  async list(filter: DeliveryFilter): Promise<Delivery[]> {
    const rows = await this.state.db
      .selectFrom('deliveries')
      .selectAll()
      .where((is) => is.and(conditions(is, filter)))
      .orderBy('created_ms', 'desc')
      .orderBy('id', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.map(toDelivery);
  }

  /** get answers one delivery of a project, or null. */
  async get(project: string, id: string): Promise<Delivery | null> {
    const row = await this.state.db
      .selectFrom('deliveries')
      .selectAll()
      .where('id', '=', id)
      .where('project', '=', project)
      .executeTakeFirst();
    return row ? toDelivery(row) : null;
  }

  /** attempts answers every try of a delivery, oldest first. */
  async attempts(id: string): Promise<DeliveryAttempt[]> {
    const rows = await this.state.db
      .selectFrom('delivery_attempts')
      .selectAll()
      .where('delivery_id', '=', id)
      .orderBy('number')
      .execute();
    return rows.map(toAttempt);
  }

  /** replay puts a dead delivery back with a fresh schedule, due now; its event id stays. */
  async replay(project: string, id: string, nowMs: number): Promise<ReplayOutcome> {
    const query = this.state.db
      .updateTable('deliveries')
      .set({ status: 'pending', attempts: 0, due_ms: nowMs, scheduled_ms: nowMs, updated_ms: nowMs })
      .where('id', '=', id)
      .where('project', '=', project)
      .where('status', '=', 'dead');
    const done = await this.state.write([{ query: query.compile(), expect: 1 }]);
    const delivery = await this.get(project, id);
    if (!delivery) return { outcome: 'refused', code: 'not_found' };
    return done.outcome === 'committed' ? { outcome: 'replayed', delivery } : { outcome: 'refused', code: 'not_dead' };
  }

  /** countByStatus counts the deliveries of every project that are open or dead: what a person may have to look at. */
  async countByStatus(): Promise<Record<'pending' | 'sending' | 'dead', number>> {
    const rows = await this.state.db
      .selectFrom('deliveries')
      .select((select) => ['status', select.fn.countAll<number>().as('count')])
      .where('status', 'in', literally('pending', 'sending', 'dead'))
      .groupBy('status')
      .execute();
    const count = (status: DeliveryStatus) => Number(rows.find((row) => row.status === status)?.count ?? 0);
    return { pending: count('pending'), sending: count('sending'), dead: count('dead') };
  }
}

function conditions(is: ExpressionBuilder<Schema, 'deliveries'>, filter: DeliveryFilter): Expression<SqlBool>[] {
  const { status, alertId, before } = filter;
  const all: Expression<SqlBool>[] = [is('project', '=', filter.project)];
  if (status !== undefined) all.push(is('status', '=', status));
  if (alertId !== undefined) all.push(is('alert_id', '=', alertId));
  if (before) {
    const sameTime = is.and([is('created_ms', '=', before.createdMs), is('id', '<', before.id)]);
    all.push(is.or([is('created_ms', '<', before.createdMs), sameTime]));
  }
  return all;
}
