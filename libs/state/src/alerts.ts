import type { AlertType, Severity } from '@tidemark/types';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { type Alert, type AlertEvent, type AlertKey, toAlert, toAlertEvent } from './alert.js';
import type { State } from './database.js';
import type { Schema } from './schema.js';
import { planTransition, type Transition } from './transition.js';

/** TransitionOutcome tells whether a transition was committed, or what it lost to (null: nothing is firing any more). */
export type TransitionOutcome =
  | {
      readonly outcome: 'committed';
      readonly alert: Alert;
      readonly events: readonly AlertEvent[];
      readonly deliveryIds: readonly string[];
    }
  | { readonly outcome: 'conflict'; readonly current: Alert | null };

/** AlertCounts are the figures of a firing alert that are kept in memory and saved at intervals. */
export type AlertCounts = Pick<Alert, 'id' | 'occurrences' | 'value' | 'peak' | 'lastBreachMs'>;

/** AlertFilter chooses alerts by what they are and when they began, both ends of the time included. */
export interface AlertFilter {
  readonly project: string;
  readonly modelId?: string;
  readonly sinceMs: number;
  readonly untilMs?: number;
  readonly resolved?: boolean;
  readonly severity?: Severity;
  readonly alertType?: AlertType;
  readonly limit: number;
  /** The last alert of the page before this one. */
  readonly before?: Pick<Alert, 'startedMs' | 'id'>;
}

/** A firing that keeps losing its incident number to others that fired and resolved in between is a fault of its own. */
const INCIDENT_TRIES = 8;

/** Alerts keeps the alerts, their history, and the deliveries that a transition causes. */
export class Alerts {
  constructor(private readonly state: State) {}

  /**
   * commitTransition writes the alert, its events and one delivery a channel in ONE transaction. Of two callers who
   * saw the same breach one commits; the other learns by `conflict` what is there now, and decides anew from that.
   */
  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    for (let tries = 0; tries < INCIDENT_TRIES; tries++) {
      const incident = transition.previous ? 0 : (await this.lastIncident(transition.key)) + 1;
      const plan = planTransition(this.state, transition, incident);
      const done = await this.state.write(plan.writes);
      if (done.outcome === 'committed') {
        const { alert, events, deliveryIds } = plan;
        return { outcome: 'committed', alert, events, deliveryIds };
      }
      if (transition.previous) return { outcome: 'conflict', current: await this.byId(transition.previous.id) };
      const current = await this.firing(transition.key);
      if (current) return { outcome: 'conflict', current };
    }
    return { outcome: 'conflict', current: null };
  }

  /** saveCounts writes the figures of firing alerts in one transaction; older figures never overwrite newer ones. */
  async saveCounts(counts: readonly AlertCounts[]): Promise<void> {
    if (counts.length === 0) return;
    const template = this.state.db
      .updateTable('alerts')
      .set({ occurrences: 0, value: 0, peak: 0, last_breach_ms: 0 })
      .where('id', '=', '')
      .where('resolved_ms', 'is', null)
      .where('occurrences', '<=', 0)
      .compile();
    // Compiled once and bound many times: compiling costs more than running it.
    const writes = counts.map(({ id, occurrences, value, peak, lastBreachMs }) => ({
      query: { ...template, parameters: [occurrences, value, peak, lastBreachMs, id, occurrences] },
    }));
    await this.state.write(writes, 'lazy');
  }

  /** loadFiring answers every firing alert, project by project, oldest first: what a process must know when it starts. */
  async loadFiring(): Promise<Alert[]> {
    const rows = await this.select()
      .where('resolved_ms', 'is', null)
      .orderBy('project')
      .orderBy('started_ms')
      .orderBy('id')
      .execute();
    return rows.map(toAlert);
  }

  /** firing answers the firing alert of a key, or null. */
  async firing({ project, modelId, rule }: AlertKey): Promise<Alert | null> {
    const row = await this.select()
      .where('project', '=', project)
      .where('model_id', '=', modelId)
      .where('rule', '=', rule)
      .where('resolved_ms', 'is', null)
      .executeTakeFirst();
    return row ? toAlert(row) : null;
  }

  /** get answers one alert of a project, or null. */
  async get(project: string, id: string): Promise<Alert | null> {
    const alert = await this.byId(id);
    return alert?.project === project ? alert : null;
  }

  /** list answers alerts newest first, by the time they began. */
  async list(filter: AlertFilter): Promise<Alert[]> {
    const rows = await this.select()
      .where((is) => is.and(conditions(is, filter)))
      .orderBy('started_ms', 'desc')
      .orderBy('id', 'desc')
      .limit(filter.limit)
      .execute();
    return rows.map(toAlert);
  }

  /** events answers the history of an alert, oldest first. */
  async events(alertId: string): Promise<AlertEvent[]> {
    const rows = await this.state.db
      .selectFrom('alert_events')
      .selectAll()
      .where('alert_id', '=', alertId)
      .orderBy('sequence')
      .execute();
    return rows.map(toAlertEvent);
  }

  /** countFiring counts the firing alerts of a project, or of one of its models. */
  async countFiring(project: string, modelId?: string): Promise<number> {
    const { firing } = await this.state.db
      .selectFrom('alerts')
      .select((select) => select.fn.countAll<number>().as('firing'))
      .where('project', '=', project)
      .where('resolved_ms', 'is', null)
      .$if(modelId !== undefined, (query) => query.where('model_id', '=', modelId ?? ''))
      .executeTakeFirstOrThrow();
    return Number(firing);
  }

  private select() {
    return this.state.db.selectFrom('alerts').selectAll();
  }

  private async byId(id: string): Promise<Alert | null> {
    const row = await this.select().where('id', '=', id).executeTakeFirst();
    return row ? toAlert(row) : null;
  }

  private async lastIncident({ project, modelId, rule }: AlertKey): Promise<number> {
    const row = await this.state.db
      .selectFrom('alerts')
      .select((select) => select.fn.max('incident').as('last'))
      .where('project', '=', project)
      .where('model_id', '=', modelId)
      .where('rule', '=', rule)
      .executeTakeFirst();
    return row?.last ?? 0;
  }
}

function conditions(is: ExpressionBuilder<Schema, 'alerts'>, filter: AlertFilter): Expression<SqlBool>[] {
  const { modelId, untilMs, resolved, severity, alertType, before } = filter;
  const all: Expression<SqlBool>[] = [is('project', '=', filter.project), is('started_ms', '>=', filter.sinceMs)];
  if (untilMs !== undefined) all.push(is('started_ms', '<=', untilMs));
  if (modelId !== undefined) all.push(is('model_id', '=', modelId));
  if (resolved !== undefined) all.push(is('resolved_ms', resolved ? 'is not' : 'is', null));
  if (severity !== undefined) all.push(is('severity', '=', severity));
  if (alertType !== undefined) all.push(is('alert_type', '=', alertType));
  if (before) {
    const sameTime = is.and([is('started_ms', '=', before.startedMs), is('id', '<', before.id)]);
    all.push(is.or([is('started_ms', '<', before.startedMs), sameTime]));
  }
  return all;
}
