import type { CompiledQuery } from 'kysely';
import type { Alert, AlertEvent, AlertKey, AlertState } from './alert.js';
import { alertTypeOf, stateColumns } from './alert.js';
import { addedCounts } from './alert-counts.js';
import type { State, Write } from './database.js';
import { deliveryId, eventId } from './identity.js';

/** EVENTS_A_TRANSITION is the most events that one transition may carry. */
const EVENTS_A_TRANSITION = 16;

/** EventDraft is an event to record, and the channels to tell of it. */
export interface EventDraft extends Omit<AlertEvent, 'eventId' | 'alertId' | 'sequence'> {
  /** Tells repeatable events of one severity apart (the third reminder: 3); 0 when absent. */
  readonly ordinal?: number;
  /** Ids of the channels that get a delivery, due at `atMs`; none for an event that only goes into the history. */
  readonly channelIds: readonly string[];
}

/** TransitionParts are what a transition needs beside the alert itself. */
export interface TransitionParts {
  readonly next: AlertState;
  readonly events: readonly EventDraft[];
  /** Writes the notification of an event, JSON without secrets; called once for each event that has channels. */
  readonly payload: (alert: Alert, event: AlertEvent) => string;
}

/** Firing opens a new incident of `key`; `id` becomes the alert's id. */
export interface Firing extends TransitionParts {
  readonly previous: null;
  readonly key: AlertKey;
  readonly id: string;
}

/** Change moves a firing alert on from the version that `previous` shows. */
export interface Change extends TransitionParts {
  readonly previous: Alert;
  /** True for what is right only if nobody has counted a breach since `previous` was read: the end of a quiet alert. */
  readonly ifQuiet?: boolean;
}

/** Transition is a step in the life of an alert, to be committed whole. */
export type Transition = Firing | Change;

/** TransitionPlan is what a transition will have made of the alert, its history and the outbox. */
export interface TransitionPlan {
  readonly alert: Alert;
  readonly events: readonly AlertEvent[];
  readonly deliveryIds: readonly string[];
  readonly writes: readonly Write[];
}

/** planTransition writes a transition as one batch; `incident` is used for a new alert only. */
export function planTransition({ db }: State, transition: Transition, incident: number): TransitionPlan {
  const alert = nextAlert(transition, incident);
  const writes: Write[] = [{ query: alertQuery(db, transition, alert), expect: 1 }];
  const events: AlertEvent[] = [];
  const deliveryIds: string[] = [];
  if (transition.events.length > EVENTS_A_TRANSITION) throw new RangeError('too many events for one transition');
  for (const [index, draft] of transition.events.entries()) {
    const event = eventOf(alert, draft, index);
    events.push(event);
    writes.push({ query: eventQuery(db, event), expect: 1 });
    const payload = draft.channelIds.length > 0 ? transition.payload(alert, event) : '';
    for (const channelId of new Set(draft.channelIds)) {
      const id = deliveryId(event.eventId, channelId);
      deliveryIds.push(id);
      writes.push({ query: deliveryQuery(db, { id, channelId, payload, alert, event }), expect: 1 });
    }
  }
  return { alert, events, deliveryIds, writes };
}

function nextAlert(transition: Transition, incident: number): Alert {
  const { previous, next } = transition;
  if (previous) return { ...previous, ...next, version: previous.version + 1 };
  const { project, modelId, rule } = transition.key;
  const key = { id: transition.id, project, modelId, rule, alertType: alertTypeOf(rule), incident };
  return { ...key, ...next, version: 1 };
}

function eventOf(alert: Alert, draft: EventDraft, index: number): AlertEvent {
  const { kind, severity, message, value, threshold, occurrences, atMs, by, comment, ordinal } = draft;
  const { project, modelId, rule, incident } = alert;
  return {
    eventId: eventId({ project, modelId, rule, incident, event: kind, severity, ordinal }),
    alertId: alert.id,
    sequence: alert.version * EVENTS_A_TRANSITION + index,
    ...{ kind, severity, message, value, threshold, occurrences, atMs, by, comment },
  };
}

/** The partial unique index refuses a second firing alert; the version refuses a change of what somebody else changed. */
function alertQuery(db: State['db'], transition: Transition, alert: Alert): CompiledQuery {
  if (transition.previous) return changeQuery(db, transition, alert);
  return db
    .insertInto('alerts')
    .values({
      id: alert.id,
      project: alert.project,
      model_id: alert.modelId,
      rule: alert.rule,
      alert_type: alert.alertType,
      incident: alert.incident,
      version: alert.version,
      ...stateColumns(alert),
    })
    .onConflict((conflict) => conflict.doNothing())
    .compile();
}

/** What was counted is added to what others have counted meanwhile. */
function changeQuery(db: State['db'], { previous, ifQuiet }: Change, alert: Alert): CompiledQuery {
  const counts = { ...alert, occurrences: alert.occurrences - previous.occurrences };
  const query = db
    .updateTable('alerts')
    .set({ ...stateColumns(alert), ...addedCounts(counts), version: alert.version })
    .where('id', '=', alert.id)
    .where('version', '=', previous.version)
    .where('resolved_ms', 'is', null)
    .returningAll();
  return (ifQuiet ? query.where('occurrences', '=', previous.occurrences) : query).compile();
}

function eventQuery(db: State['db'], event: AlertEvent) {
  return db
    .insertInto('alert_events')
    .values({
      event_id: event.eventId,
      alert_id: event.alertId,
      sequence: event.sequence,
      kind: event.kind,
      severity: event.severity,
      message: event.message,
      value: event.value,
      threshold: event.threshold,
      occurrences: event.occurrences,
      at_ms: event.atMs,
      by: event.by,
      comment: event.comment,
    })
    .compile();
}

interface DeliveryDraft {
  readonly id: string;
  readonly channelId: string;
  readonly payload: string;
  readonly alert: Alert;
  readonly event: AlertEvent;
}

function deliveryQuery(db: State['db'], { id, channelId, payload, alert, event }: DeliveryDraft) {
  return db
    .insertInto('deliveries')
    .values({
      id,
      project: alert.project,
      alert_id: alert.id,
      event_id: event.eventId,
      sequence: event.sequence,
      channel_id: channelId,
      model_id: alert.modelId,
      alert_type: alert.alertType,
      severity: event.severity,
      event_kind: event.kind,
      payload,
      status: 'pending',
      attempts: 0,
      due_ms: event.atMs,
      scheduled_ms: event.atMs,
      last_error: null,
      summarised_in: null,
      summarised_ms: null,
      release_ms: null,
      created_ms: event.atMs,
      updated_ms: event.atMs,
      delivered_ms: null,
    })
    .compile();
}
