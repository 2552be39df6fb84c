import {
  type Alert,
  type AlertEvent,
  type AlertKey,
  type Alerts,
  type AlertState,
  type Random,
  type Transition,
} from '@tidemark/state';
import type { Clock } from '@tidemark/program';
import type { Breach } from '../rules/evaluate.js';
import type { AlertTiming } from '../rules/model-directory.js';
import { AlertIds } from './alert-ids.js';
import { type Observation, transition } from './transition.js';

/** AlertBookDeps are what the book decides by, writes to and tells. */
export interface AlertBookDeps {
  readonly alerts: Alerts;
  readonly clock: Clock;
  readonly random: Random;
  readonly timingOf: (project: string, modelId: string) => AlertTiming;
  /** channelsFor lists the channels to notify of a model's alerts. */
  readonly channelsFor: (project: string, modelId: string) => Promise<readonly string[]>;
  readonly payload: (alert: Alert, event: AlertEvent) => string;
  /** committed is called after each event is on disk: wake the deliveries, tell the live feed. */
  readonly committed: (alert: Alert, events: readonly AlertEvent[]) => void;
}

/** MarkOutcome tells what became of a mark set by hand. */
export type MarkOutcome =
  { readonly outcome: 'done'; readonly alert: Alert } | { readonly outcome: 'not_found' | 'already_resolved' };

/** Target is what an observation is about; with an id, only while that very alert fires. */
type Target = AlertKey & { readonly id?: string };

interface Held {
  alert: Alert;
  /** By the clock that does not jump. */
  lastBreachMs: number;
  lastNotifiedMs: number;
  /** Counts that the database does not have yet. */
  dirty: boolean;
}

const MAX_CONFLICTS = 8;

/**
 * AlertBook holds every firing alert in memory and moves them on. Only events reach the database: a model that
 * breaches ten thousand times a second costs what a healthy one does. Steps of one alert are taken one after another;
 * a breach that comes while its alert is being committed waits for that commit, because its request must not be
 * acknowledged before the alert is on disk.
 */
export class AlertBook {
  private readonly held = new Map<string, Held>();
  private readonly underway = new Map<string, Promise<void>>();

  private readonly ids: AlertIds;

  constructor(private readonly deps: AlertBookDeps) {
    this.ids = new AlertIds(deps.random);
  }

  /** load takes over the alerts that were firing when the process stopped; their quiet time starts anew. */
  async load(): Promise<void> {
    for (const alert of await this.deps.alerts.loadFiring()) this.hold(alert);
  }

  /** countFiring counts the firing alerts of a project or of one model of it. */
  countFiring(project: string, modelId?: string): number {
    let count = 0;
    for (const { alert } of this.held.values()) {
      if (alert.project === project && (modelId === undefined || alert.modelId === modelId)) count++;
    }
    return count;
  }

  /** size is the number of alerts that fire, in all projects. */
  get size(): number {
    return this.held.size;
  }

  /** firing lists the firing alerts of a project with their counts as of now. */
  firing(project: string): readonly Alert[] {
    return [...this.held.values()].map(({ alert }) => alert).filter((alert) => alert.project === project);
  }

  /** current answers the alert with its counts as of now. */
  current(alert: Alert): Alert {
    const held = this.held.get(keyOf(alert));
    return held?.alert.id === alert.id ? held.alert : alert;
  }

  /** raise takes breaches in; it resolves when every event they amount to is committed with its deliveries. */
  async raise(breaches: readonly Breach[]): Promise<void> {
    await Promise.all(breaches.map((breach) => this.observe(breach, { kind: 'breach', breach })));
  }

  /** acknowledge marks a firing alert as seen; reminders stop. */
  acknowledge(project: string, id: string, mark: { by: string; comment: string | null }): Promise<MarkOutcome> {
    return this.mark(project, id, { kind: 'acknowledge', ...mark });
  }

  /** resolve ends a firing alert by hand. */
  resolve(project: string, id: string, mark: { by: string | null; comment: string | null }): Promise<MarkOutcome> {
    return this.mark(project, id, { kind: 'resolve', ...mark });
  }

  /** sweep resolves the alerts that were quiet long enough and repeats those that nobody looked at. */
  async sweep(): Promise<void> {
    const steadyMs = this.deps.clock.steadyMs();
    const due = [...this.held.values()].filter((held) => isDue(held, this.timingOf(held.alert), steadyMs));
    await Promise.all(due.map(({ alert }) => this.observe(alert, 'tick')));
  }

  /** saveCounts writes the counts that changed since the last time. */
  async saveCounts(): Promise<void> {
    const dirty = [...this.held.values()].filter((held) => held.dirty);
    if (dirty.length === 0) return;
    for (const held of dirty) held.dirty = false;
    try {
      await this.deps.alerts.saveCounts(dirty.map(({ alert }) => alert));
    } catch (error) {
      for (const held of dirty) held.dirty = true;
      throw error;
    }
  }

  private async mark(project: string, id: string, observation: Observation): Promise<MarkOutcome> {
    const found = await this.deps.alerts.get(project, id);
    if (!found) return { outcome: 'not_found' };
    if (found.resolvedMs !== null) return { outcome: 'already_resolved' };
    if (!this.held.has(keyOf(found))) this.hold(found); // it was fired elsewhere
    await this.observe(found, observation);
    const after = await this.deps.alerts.get(project, id);
    return after ? { outcome: 'done', alert: this.current(after) } : { outcome: 'not_found' };
  }

  private async observe(key: Target, observation: Observation | 'tick'): Promise<void> {
    const id = keyOf(key);
    let waitFor = this.underway.get(id);
    while (waitFor) {
      await waitFor.catch(() => undefined); // its own caller is told of its failure
      waitFor = this.underway.get(id);
    }
    const work = this.step(id, key, observation);
    if (!work) return;
    this.underway.set(id, work);
    try {
      await work;
    } finally {
      this.underway.delete(id);
    }
  }

  /** step answers null when nothing has to be written: the usual case on the path of a metric. */
  private step(id: string, key: Target, observation: Observation | 'tick'): Promise<void> | null {
    const held = this.held.get(id);
    const { next, event } = this.decide(held, key, observation);
    if (event) return this.commit(id, key, observation, 0);
    this.count(held, next, observation);
    return null;
  }

  /** count keeps a breach that is no event in memory. */
  private count(held: Held | undefined, next: AlertState | null, observation: Observation | 'tick'): void {
    if (!held || !next || observation === 'tick') return;
    held.alert = { ...held.alert, ...next };
    held.lastBreachMs = this.deps.clock.steadyMs();
    held.dirty = true;
  }

  private async commit(id: string, key: Target, observation: Observation | 'tick', conflicts: number): Promise<void> {
    const held = this.held.get(id);
    const { next, event } = this.decide(held, key, observation);
    if (!next || !event) return this.count(held, next, observation);
    const channelIds = event === 'acknowledged' ? [] : await this.deps.channelsFor(key.project, key.modelId);
    const outcome = await this.deps.alerts.commitTransition(
      this.transitionOf(key, held?.alert ?? null, next, event, channelIds),
    );
    if (outcome.outcome === 'conflict') {
      if (conflicts >= MAX_CONFLICTS) throw new Error(`the alert of ${key.rule} kept changing elsewhere`);
      if (outcome.current && outcome.current.resolvedMs === null) this.adopt(outcome.current);
      else this.held.delete(id);
      return this.commit(id, key, observation, conflicts + 1);
    }
    this.settle(id, outcome.alert, event === 'fired' || event === 'escalated');
    this.deps.committed(outcome.alert, outcome.events);
  }

  private transitionOf(
    key: AlertKey,
    previous: Alert | null,
    next: AlertState,
    kind: AlertEvent['kind'],
    channelIds: readonly string[],
  ): Transition {
    const { severity, message, value, threshold, occurrences } = next;
    const by = kind === 'acknowledged' ? (next.acknowledged?.by ?? null) : kind === 'resolved' ? next.resolvedBy : null;
    const comment =
      kind === 'acknowledged' ? (next.acknowledged?.comment ?? null) : kind === 'resolved' ? next.resolveComment : null;
    // Reminders and acknowledgements repeat in one incident: the version they start from tells them apart.
    const ordinal = kind === 'repeated' || kind === 'acknowledged' ? (previous?.version ?? 0) : 0;
    const atMs = this.deps.clock.wallMs();
    const events = [{ kind, severity, message, value, threshold, occurrences, atMs, by, comment, ordinal, channelIds }];
    const parts = { next, events, payload: this.deps.payload };
    return previous
      ? { ...parts, previous }
      : { ...parts, previous: null, key: keyParts(key), id: this.ids.next(atMs) };
  }

  private settle(id: string, alert: Alert, isBreach: boolean): void {
    if (alert.resolvedMs !== null) {
      this.held.delete(id);
      return;
    }
    const held = this.hold(alert);
    const steadyMs = this.deps.clock.steadyMs();
    if (isBreach) held.lastBreachMs = steadyMs;
    held.lastNotifiedMs = steadyMs;
  }

  /** adopt takes over what another instance made of an alert, and loses no count and no breach that either has seen. */
  private adopt(current: Alert): void {
    const known = this.held.get(keyOf(current))?.alert;
    const occurrences = Math.max(current.occurrences, known?.occurrences ?? 0);
    const held = this.hold({ ...current, occurrences, peak: higher(current.peak, known?.peak ?? null) });
    const { clock } = this.deps;
    const breachMs = clock.steadyMs() - Math.max(0, clock.wallMs() - current.lastBreachMs);
    held.lastBreachMs = Math.max(held.lastBreachMs, breachMs);
  }

  private hold(alert: Alert): Held {
    const steadyMs = this.deps.clock.steadyMs();
    const known = this.held.get(keyOf(alert));
    if (known) {
      known.alert = alert;
      return known;
    }
    const silentMs = Math.max(0, this.deps.clock.wallMs() - alert.lastNotifiedMs);
    const held: Held = { alert, lastBreachMs: steadyMs, lastNotifiedMs: steadyMs - silentMs, dirty: false };
    this.held.set(keyOf(alert), held);
    return held;
  }

  private decide(found: Held | undefined, { id }: Target, observation: Observation | 'tick') {
    const { clock } = this.deps;
    const held = id === undefined || id === found?.alert.id ? found : undefined;
    if (observation !== 'tick') return transition(held?.alert ?? null, observation, clock.wallMs());
    if (!held) return { next: null, event: null };
    const steadyMs = clock.steadyMs();
    const passed = { quietMs: steadyMs - held.lastBreachMs, silentMs: steadyMs - held.lastNotifiedMs };
    return transition(held.alert, { kind: 'tick', ...passed, timing: this.timingOf(held.alert) }, clock.wallMs());
  }

  private timingOf({ project, modelId }: Alert): AlertTiming {
    return this.deps.timingOf(project, modelId);
  }
}

function isDue(held: Held, timing: AlertTiming, steadyMs: number): boolean {
  if (steadyMs - held.lastBreachMs >= timing.resolveAfterMs) return true;
  return !held.alert.acknowledged && steadyMs - held.lastNotifiedMs >= timing.repeatIntervalMs;
}

function higher(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function keyParts({ project, modelId, rule }: AlertKey): AlertKey {
  return { project, modelId, rule };
}

function keyOf({ project, modelId, rule }: AlertKey): string {
  return `${rule} ${project.length}:${project}${modelId}`;
}
