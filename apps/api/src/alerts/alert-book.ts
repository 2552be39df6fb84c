import type { Alert, AlertEvent, AlertKey, Alerts, AlertState, Random } from '@tidemark/state';
import type { Clock } from '@tidemark/program';
import type { Breach } from '../rules/evaluate.js';
import type { AlertTiming } from '../rules/model-directory.js';
import { AlertFollower } from './alert-follower.js';
import { AlertIds } from './alert-ids.js';
import { draftTransition } from './draft-transition.js';
import { HeldAlert } from './held-alert.js';
import { type Observation, transition } from './transition.js';
import { Turns } from './turns.js';

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
  /**
   * How much longer than `resolve_after` an alert must be quiet, because a breach that another instance saw is heard of
   * when that instance saves its counts; absent where there is no other instance.
   */
  readonly graceMs?: number;
}

/** SHARED_GRACE_MS is the grace of several instances: two intervals of saving, and a slow save. */
export const SHARED_GRACE_MS = 15_000;

/** MarkOutcome tells what became of a mark set by hand. */
export type MarkOutcome =
  { readonly outcome: 'done'; readonly alert: Alert } | { readonly outcome: 'not_found' | 'already_resolved' };

/** Target is what an observation is about; with an id, only while that very alert fires. */
type Target = AlertKey & { readonly id?: string };

const MAX_CONFLICTS = 8;

/**
 * AlertBook holds every firing alert in memory and moves them on. Only events reach the database: a model that
 * breaches ten thousand times a second costs what a healthy one does. Steps of one alert are taken one after another;
 * a breach that comes while its alert is being committed waits for that commit, because its request must not be
 * acknowledged before the alert is on disk. Several instances may have a book on one database: each step is committed
 * from the version it was decided on, counts add up, and `follow` learns what the others did.
 */
export class AlertBook {
  private readonly held = new Map<string, HeldAlert>();
  private readonly turns = new Turns();
  private readonly ids: AlertIds;
  private readonly follower: AlertFollower;

  constructor(private readonly deps: AlertBookDeps) {
    this.ids = new AlertIds(deps.random);
    this.follower = new AlertFollower({
      alerts: deps.alerts,
      clock: deps.clock,
      held: this.held,
      keyOf,
      isBusy: (key) => this.turns.isTaken(key) || Boolean(this.held.get(key)?.saving),
      learn: (alert) => this.learn(alert),
      ended: (held) => this.ended(held),
    });
  }

  /** load takes over the alerts that were firing when the process stopped; their quiet time starts anew. */
  async load(): Promise<void> {
    for (const alert of await this.deps.alerts.loadFiring()) this.learn(alert);
  }

  /** follow takes in what other instances did since the last time. */
  follow(): Promise<void> {
    return this.follower.follow();
  }

  /** countFiring counts the firing alerts of a project or of one model of it; where others fire too, it asks the database. */
  countFiring(project: string, modelId?: string): number | Promise<number> {
    if (this.deps.graceMs !== undefined) return this.deps.alerts.countFiring(project, modelId);
    return this.firing(project).filter((alert) => modelId === undefined || alert.modelId === modelId).length;
  }

  /** size is the number of alerts that fire, in all projects. */
  get size(): number {
    return this.held.size;
  }

  /** firing lists the firing alerts of a project with their counts as of now, as far as this instance knows. */
  firing(project: string): readonly Alert[] {
    return [...this.held.values()].map(({ alert }) => alert).filter((alert) => alert.project === project);
  }

  /** current answers an alert that was read with its counts as of now. */
  current(alert: Alert): Alert {
    return this.held.get(keyOf(alert))?.over(alert) ?? alert;
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
    const due = [...this.held.values()].filter((held) => held.isDue(this.timingOf(held.alert)));
    await Promise.all(due.map(({ alert }) => this.observe(alert, 'tick')));
  }

  /** saveCounts adds the counts that only this instance has to the database. */
  async saveCounts(): Promise<void> {
    const counted = Array.from(this.held).filter(
      ([key, held]) => held.own > 0 && held.saving === null && !this.turns.isTaken(key),
    );
    if (counted.length === 0) return;
    const counts = counted.map(([, held]) => held.counts());
    const saving = this.deps.alerts.saveCounts(counts);
    for (const [, held] of counted) held.saving = saving;
    const ended: HeldAlert[] = [];
    try {
      const saved = await saving;
      for (const [index, [, held]] of counted.entries()) {
        const row = saved.get(held.stored.id);
        if (row) held.saved(row, counts[index]?.occurrences ?? 0);
        else ended.push(held);
      }
    } finally {
      for (const [, held] of counted) held.saving = null;
    }
    for (const held of ended) await this.ended(held);
  }

  private async mark(project: string, id: string, observation: Observation): Promise<MarkOutcome> {
    const found = await this.deps.alerts.get(project, id);
    if (!found) return { outcome: 'not_found' };
    if (found.resolvedMs !== null) return { outcome: 'already_resolved' };
    await this.turns.free(keyOf(found));
    this.learn(found); // it may have been fired elsewhere
    await this.observe(found, observation);
    const after = await this.deps.alerts.get(project, id);
    return after ? { outcome: 'done', alert: this.current(after) } : { outcome: 'not_found' };
  }

  private observe(key: Target, observation: Observation | 'tick'): Promise<void> {
    const id = keyOf(key);
    return this.turns.take(id, () => this.step(id, key, observation));
  }

  /** step answers null when nothing has to be written: the usual case on the path of a metric. */
  private step(id: string, key: Target, observation: Observation | 'tick'): Promise<void> | null {
    const held = this.held.get(id);
    const { next, event } = this.decide(held, key, observation);
    if (event) return this.commit(id, key, observation, 0);
    count(held, next, observation);
    return null;
  }

  private async commit(id: string, key: Target, observation: Observation | 'tick', conflicts: number): Promise<void> {
    await this.held.get(id)?.saving?.catch(() => undefined); // its counts must be added once
    const held = this.held.get(id);
    const { next, event } = this.decide(held, key, observation);
    if (!next || !event) return count(held, next, observation);
    const { alerts, channelsFor, clock, payload } = this.deps;
    // Before anything is waited for, so that the alerts of one metric keep their order.
    const atMs = clock.wallMs();
    const newId = held ? null : this.ids.next(atMs);
    const channelIds = event === 'acknowledged' ? [] : await channelsFor(key.project, key.modelId);
    const draft = {
      key,
      previous: held?.stored ?? null,
      next,
      event,
      ifQuiet: observation === 'tick' && event === 'resolved',
    };
    const outcome = await alerts.commitTransition(draftTransition({ ...draft, channelIds, payload, atMs, newId }));
    if (outcome.outcome === 'conflict') {
      if (conflicts >= MAX_CONFLICTS) throw new Error(`the alert of ${key.rule} kept changing elsewhere`);
      if (outcome.current && outcome.current.resolvedMs === null) this.learn(outcome.current);
      else this.held.delete(id);
      return this.commit(id, key, observation, conflicts + 1);
    }
    // More than was written here is what others counted meanwhile.
    const isBreach = event === 'fired' || event === 'escalated' || outcome.alert.occurrences > next.occurrences;
    this.settle(id, outcome.alert, isBreach);
    this.deps.committed(outcome.alert, outcome.events);
  }

  private settle(id: string, alert: Alert, isBreach: boolean): void {
    if (alert.resolvedMs !== null) {
      this.held.delete(id);
      return;
    }
    const held = this.held.get(id) ?? new HeldAlert(alert, this.deps.clock);
    held.committed(alert, isBreach);
    this.held.set(id, held);
  }

  /** learn takes in a firing alert as the database has it, and forgets an earlier incident of its key. */
  private learn(alert: Alert): void {
    const held = this.held.get(keyOf(alert));
    if (held?.stored.id === alert.id) held.learn(alert);
    else if (!held || held.stored.incident < alert.incident)
      this.held.set(keyOf(alert), new HeldAlert(alert, this.deps.clock));
  }

  /** ended forgets an alert that another instance ended; a breach that was counted here after that end is no part of it. */
  private async ended(held: HeldAlert): Promise<void> {
    const key = keyOf(held.stored);
    const [row] = await this.deps.alerts.byIds([held.stored.id]);
    if (this.held.get(key) !== held || this.turns.isTaken(key) || row?.resolvedMs === null) return;
    this.held.delete(key);
    const missed = row ? held.missed(row.resolvedMs) : null;
    if (!missed) return;
    try {
      await this.raise([missed]);
    } catch (error) {
      if (!this.held.has(key)) this.held.set(key, held); // the next look tries again
      throw error;
    }
  }

  private decide(found: HeldAlert | undefined, { id }: Target, observation: Observation | 'tick') {
    const { clock, graceMs = 0 } = this.deps;
    const held = id === undefined || id === found?.stored.id ? found : undefined;
    if (observation !== 'tick') return transition(held?.alert ?? null, observation, clock.wallMs());
    if (!held) return { next: null, event: null };
    const { quietMs, silentMs } = held.passed();
    const tick = { kind: 'tick', quietMs: quietMs - graceMs, silentMs, timing: this.timingOf(held.alert) } as const;
    return transition(held.alert, tick, clock.wallMs());
  }

  private timingOf({ project, modelId }: Alert): AlertTiming {
    return this.deps.timingOf(project, modelId);
  }
}

/** count keeps a breach that is no event in memory. */
function count(held: HeldAlert | undefined, next: AlertState | null, observation: Observation | 'tick'): void {
  if (held && next && observation !== 'tick' && observation.kind === 'breach') held.count(next, observation.breach);
}

function keyOf({ project, modelId, rule }: AlertKey): string {
  return `${rule} ${project.length}:${project}${modelId}`;
}
