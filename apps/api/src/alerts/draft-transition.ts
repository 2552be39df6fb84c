import type { Alert, AlertEvent, AlertKey, AlertState, Transition } from '@tidemark/state';

/** Draft is a decided step of an alert that is to be committed. */
export interface Draft {
  readonly key: AlertKey;
  /** The alert as the database had it; null for one that fires. */
  readonly previous: Alert | null;
  readonly next: AlertState;
  readonly event: AlertEvent['kind'];
  /** True when time alone ends the alert. */
  readonly ifQuiet: boolean;
  readonly channelIds: readonly string[];
  readonly payload: (alert: Alert, event: AlertEvent) => string;
  readonly atMs: number;
  /** The id of an alert that fires; null for others. */
  readonly newId: string | null;
}

/** draftTransition writes a decided step as the transition that commits it, with its one event. */
export function draftTransition(draft: Draft): Transition {
  const { previous, next, event: kind, payload, channelIds, atMs, ifQuiet } = draft;
  const { severity, message, value, threshold, occurrences } = next;
  // Reminders and acknowledgements repeat in one incident: the version they start from tells them apart.
  const ordinal = kind === 'repeated' || kind === 'acknowledged' ? (previous?.version ?? 0) : 0;
  const event = {
    kind,
    severity,
    message,
    value,
    threshold,
    occurrences,
    atMs,
    ordinal,
    channelIds,
    ...byOf(next, kind),
  };
  const parts = { next, events: [event], payload };
  if (previous) return { ...parts, previous, ifQuiet };
  if (draft.newId === null) throw new Error('an alert that fires needs an id');
  const { project, modelId, rule } = draft.key;
  return { ...parts, previous: null, key: { project, modelId, rule }, id: draft.newId };
}

function byOf(next: AlertState, kind: AlertEvent['kind']): Pick<AlertEvent, 'by' | 'comment'> {
  if (kind === 'acknowledged')
    return { by: next.acknowledged?.by ?? null, comment: next.acknowledged?.comment ?? null };
  if (kind === 'resolved') return { by: next.resolvedBy, comment: next.resolveComment };
  return { by: null, comment: null };
}
