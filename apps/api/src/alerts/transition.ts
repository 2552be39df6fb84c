import type { AlertState } from '@tidemark/state';
import { type AlertEventKind, SEVERITIES, type Severity } from '@tidemark/types';
import type { Breach } from '../rules/evaluate.js';
import type { AlertTiming } from '../rules/model-directory.js';

/** Observation is what was seen of one rule of one model. */
export type Observation =
  | { readonly kind: 'breach'; readonly breach: Breach }
  /** Time passed: `quietMs` since the last breach, `silentMs` since the last notification. */
  | { readonly kind: 'tick'; readonly quietMs: number; readonly silentMs: number; readonly timing: AlertTiming }
  | { readonly kind: 'acknowledge'; readonly by: string; readonly comment: string | null }
  | { readonly kind: 'resolve'; readonly by: string | null; readonly comment: string | null };

/** Step is the state after an observation, and the event it amounts to, if any. A null state is no alert at all. */
export interface Step {
  readonly next: AlertState | null;
  readonly event: AlertEventKind | null;
}

/**
 * transition decides what an observation makes of an alert; it is the whole state machine.
 * `previous` is the firing alert of the rule, or null; `wallMs` is the wall clock, used only to mark when things
 * happened: how long anything lasted comes in the observation, measured by a clock that does not jump. A wall clock that
 * was set back stands still for an alert until it has caught up, so that none ends before it began.
 */
export function transition(previous: AlertState | null, observation: Observation, wallMs: number): Step {
  const nowMs = Math.max(wallMs, previous?.lastBreachMs ?? wallMs);
  switch (observation.kind) {
    case 'breach':
      return previous ? breachAgain(previous, observation.breach, nowMs) : fire(observation.breach, nowMs);
    case 'tick':
      return previous ? tick(previous, observation, nowMs) : { next: null, event: null };
    case 'acknowledge':
      if (!previous) return { next: null, event: null };
      return {
        next: { ...previous, acknowledged: { by: observation.by, comment: observation.comment, atMs: nowMs } },
        event: 'acknowledged',
      };
    case 'resolve':
      return previous ? resolve(previous, observation.by, observation.comment, nowMs) : { next: null, event: null };
  }
}

function fire(breach: Breach, nowMs: number): Step {
  const next: AlertState = {
    severity: breach.severity,
    message: breach.message,
    value: breach.value,
    threshold: breach.threshold,
    peak: breach.value,
    occurrences: breach.count,
    startedMs: nowMs,
    lastBreachMs: nowMs,
    lastNotifiedMs: nowMs,
    acknowledged: null,
    resolvedMs: null,
    resolvedBy: null,
    resolveComment: null,
  };
  return { next, event: 'fired' };
}

function breachAgain(previous: AlertState, breach: Breach, nowMs: number): Step {
  const counted: AlertState = {
    ...previous,
    value: breach.value,
    threshold: breach.threshold,
    peak: Math.max(previous.peak ?? -Infinity, breach.value),
    occurrences: previous.occurrences + breach.count,
    lastBreachMs: nowMs,
  };
  if (rank(breach.severity) <= rank(previous.severity)) return { next: counted, event: null };
  const next = { ...counted, severity: breach.severity, message: breach.message, lastNotifiedMs: nowMs };
  return { next, event: 'escalated' };
}

function tick(previous: AlertState, observation: Extract<Observation, { kind: 'tick' }>, nowMs: number): Step {
  const { quietMs, silentMs, timing } = observation;
  if (quietMs >= timing.resolveAfterMs) return resolve(previous, null, null, nowMs);
  if (previous.acknowledged || silentMs < timing.repeatIntervalMs) return { next: previous, event: null };
  return { next: { ...previous, lastNotifiedMs: nowMs }, event: 'repeated' };
}

function resolve(previous: AlertState, by: string | null, comment: string | null, nowMs: number): Step {
  return { next: { ...previous, resolvedMs: nowMs, resolvedBy: by, resolveComment: comment }, event: 'resolved' };
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
