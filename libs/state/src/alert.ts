import type { AlertEventKind, AlertType, Rule, Severity } from '@tidemark/types';
import type { Selectable } from 'kysely';
import type { AlertEventsTable, AlertsTable } from './schema.js';

/** AlertKey is what an alert is about; at most one alert of a key is firing. */
export interface AlertKey {
  readonly project: string;
  readonly modelId: string;
  readonly rule: Rule;
}

/** Acknowledgement is the mark of a person who has seen a firing alert. */
export interface Acknowledgement {
  readonly by: string;
  readonly comment: string | null;
  readonly atMs: number;
}

/** AlertState is what changes in the life of an alert. Times are epoch ms; value, threshold and peak share the rule's unit. */
export interface AlertState {
  readonly severity: Severity;
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly peak: number | null;
  readonly occurrences: number;
  readonly startedMs: number;
  readonly lastBreachMs: number;
  /** When the last fired, escalated or repeated event was committed. */
  readonly lastNotifiedMs: number;
  readonly acknowledged: Acknowledgement | null;
  /** Null while the alert is firing. */
  readonly resolvedMs: number | null;
  /** Who resolved it by hand; null when it resolved by itself. */
  readonly resolvedBy: string | null;
  readonly resolveComment: string | null;
}

/** Alert is one incident of a rule of a model. */
export interface Alert extends AlertKey, AlertState {
  readonly id: string;
  readonly alertType: AlertType;
  /** 1, 2, 3 ... for each key. */
  readonly incident: number;
  /** Rises by one with every transition; a transition from an older version is a conflict. */
  readonly version: number;
}

/** AlertEvent is one entry of an alert's history. */
export interface AlertEvent {
  readonly eventId: string;
  readonly alertId: string;
  /** Orders the events of one alert: rises, with gaps. */
  readonly sequence: number;
  readonly kind: AlertEventKind;
  readonly severity: Severity;
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly occurrences: number;
  readonly atMs: number;
  readonly by: string | null;
  readonly comment: string | null;
}

/** alertTypeOf answers the group that a rule belongs to. */
export function alertTypeOf(rule: Rule): AlertType {
  switch (rule) {
    case 'latency':
    case 'error_rate':
      return rule;
    case 'gpu_memory':
    case 'cpu_usage':
    case 'memory_usage':
      return 'resource_usage';
    case 'drift_data':
    case 'drift_concept':
      return 'drift';
  }
}

/** toAlert reads a row of the alerts table. */
export function toAlert(row: Selectable<AlertsTable>): Alert {
  return {
    id: row.id,
    project: row.project,
    modelId: row.model_id,
    rule: row.rule,
    alertType: row.alert_type,
    incident: row.incident,
    severity: row.severity,
    message: row.message,
    value: row.value,
    threshold: row.threshold,
    peak: row.peak,
    occurrences: row.occurrences,
    startedMs: row.started_ms,
    lastBreachMs: row.last_breach_ms,
    lastNotifiedMs: row.last_notified_ms,
    acknowledged:
      row.acknowledged_ms === null
        ? null
        : { by: row.acknowledged_by ?? '', comment: row.acknowledge_comment, atMs: row.acknowledged_ms },
    resolvedMs: row.resolved_ms,
    resolvedBy: row.resolved_by,
    resolveComment: row.resolve_comment,
    version: row.version,
  };
}

/** stateColumns writes what changes of an alert as columns. */
export function stateColumns(state: AlertState) {
  return {
    severity: state.severity,
    message: state.message,
    value: state.value,
    threshold: state.threshold,
    peak: state.peak,
    occurrences: state.occurrences,
    started_ms: state.startedMs,
    last_breach_ms: state.lastBreachMs,
    last_notified_ms: state.lastNotifiedMs,
    acknowledged_by: state.acknowledged?.by ?? null,
    acknowledge_comment: state.acknowledged?.comment ?? null,
    acknowledged_ms: state.acknowledged?.atMs ?? null,
    resolved_ms: state.resolvedMs,
    resolved_by: state.resolvedBy,
    resolve_comment: state.resolveComment,
  };
}

/** toAlertEvent reads a row of the history. */
export function toAlertEvent(row: Selectable<AlertEventsTable>): AlertEvent {
  return {
    eventId: row.event_id,
    alertId: row.alert_id,
    sequence: row.sequence,
    kind: row.kind,
    severity: row.severity,
    message: row.message,
    value: row.value,
    threshold: row.threshold,
    occurrences: row.occurrences,
    atMs: row.at_ms,
    by: row.by,
    comment: row.comment,
  };
}
