import type { AlertType, Severity } from '@tidemark/types';
import type { Expression, ExpressionBuilder, Selectable, SqlBool } from 'kysely';
import { type Alert, type AlertEvent, type AlertKey, toAlert, toAlertEvent } from './alert.js';
import { addCountsQuery, type AlertCounts } from './alert-counts.js';
import type { State } from './database.js';
import type { AlertsTable, Schema } from './schema.js';
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

/** AlertMark is as little of a firing alert as tells whether anybody changed it or counted on it. */
export type AlertMark = AlertKey & Pick<Alert, 'id' | 'version' | 'occurrences'>;

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
/** One transaction holds so many rows at most, and one question asks for so many. */
const SAVED_AT_ONCE = 100;
const READ_AT_ONCE = 500;

/** The compiled query's type says what its rows are, as it does for `execute`. */
type AlertRow = Selectable<AlertsTable>;

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
        const { events, deliveryIds } = plan;
        // Others may have counted on it meanwhile: the row says what it is now.
        const [row] = done.results[0]?.rows ?? [];
        const alert = row ? toAlert(row as unknown as AlertRow) : plan.alert;
        return { outcome: 'committed', alert, events, deliveryIds };
      }
      if (transition.previous) return { outcome: 'conflict', current: await this.byId(transition.previous.id) };
      const current = await this.firing(transition.key);
      if (current) return { outcome: 'conflict', current };
    }
    return { outcome: 'conflict', current: null };
  }

  /**
   * saveCounts adds what was counted of firing alerts, and answers those alerts as they are now, by id; one that is not
   * among them has ended, and nothing was added to it.
   */
  async saveCounts(counts: readonly AlertCounts[]): Promise<ReadonlyMap<string, Alert>> {
    const saved = new Map<string, Alert>();
    // In one order everywhere, so that instances that save the same alerts wait for each other and never in a circle.
    const ordered = counts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const query = addCountsQuery(this.state.db);
    for (let at = 0; at < ordered.length; at += SAVED_AT_ONCE) {
      const writes = ordered.slice(at, at + SAVED_AT_ONCE).map((count) => ({ query: query(count) }));
      const done = await this.state.write(writes, 'lazy');
      const rows = done.outcome === 'committed' ? done.results.flatMap((result) => result.rows) : [];
      for (const row of rows) {
        const alert = toAlert(row as unknown as AlertRow);
        saved.set(alert.id, alert);
      }
    }
    return saved;
  }

  /** marks answers a mark of every firing alert of every project. */
  async marks(): Promise<AlertMark[]> {
    const rows = await this.state.db
      .selectFrom('alerts')
      .select(['id', 'project', 'model_id', 'rule', 'version', 'occurrences'])
      .where('resolved_ms', 'is', null)
      .execute();
    return rows.map(({ model_id, ...mark }) => ({ ...mark, modelId: model_id }));
  }

  /** byIds answers those of some alerts that there are, in any order. */
  async byIds(ids: readonly string[]): Promise<Alert[]> {
    const found: Alert[] = [];
    for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
      const rows = await this.select()
        .where('id', 'in', ids.slice(at, at + READ_AT_ONCE))
        .execute();
      found.push(...rows.map(toAlert));
    }
    return found;
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
