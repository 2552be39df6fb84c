import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect } from 'vitest';
import type { Alert, AlertKey, AlertState } from './alert.js';
import type { TransitionOutcome } from './alerts.js';
import type { State } from './database.js';
import { newId } from './identity.js';
import type { ModelInput } from './models.js';
import type { Change, EventDraft, Firing } from './transition.js';

/** Engine is one empty database; every `open` is a further handle on it. */
export interface Engine {
  readonly open: () => Promise<State>;
  readonly destroy: () => Promise<void>;
}

/** MakeEngine makes an empty database of one kind. */
export type MakeEngine = () => Promise<Engine>;

/** useState gives every test an empty database of its own and one handle on it. */
export function useState(makeEngine: MakeEngine): {
  readonly state: () => State;
  readonly another: () => Promise<State>;
} {
  let engine: Engine;
  let handles: State[];
  beforeEach(async () => {
    engine = await makeEngine();
    handles = [await engine.open()];
  });
  afterEach(async () => {
    for (const handle of handles) await handle.close();
    await engine.destroy();
  });
  return {
    state: () => {
      const [first] = handles;
      if (!first) throw new Error('no state is open outside a test');
      return first;
    },
    another: async () => {
      const handle = await engine.open();
      handles.push(handle);
      return handle;
    },
  };
}

/** someModel answers a model to register. */
export function someModel(change: Partial<ModelInput> = {}): ModelInput {
  const thresholds = { latency: 1000, errorRate: 0.05, gpuMemory: 0.8, cpuUsage: 0.8, memoryUsage: 0.8 };
  const model = { project: 'p', id: 'm', name: 'Model', version: '1.0', thresholds } as const;
  return { ...model, modelType: 'llm', environment: 'prod', ...change };
}

/** aState answers an alert's state as it is when it fires at `atMs`. */
function aState(atMs: number, change: Partial<AlertState> = {}): AlertState {
  return {
    ...{ severity: 'low', message: 'High latency', value: 1100, threshold: 1000, peak: 1100, occurrences: 1 },
    ...{ startedMs: atMs, lastBreachMs: atMs, lastNotifiedMs: atMs },
    ...{ acknowledged: null, resolvedMs: null, resolvedBy: null, resolveComment: null },
    ...change,
  };
}

/** anEvent answers an event to record at `atMs`. */
export function anEvent(atMs: number, change: Partial<EventDraft> = {}): EventDraft {
  return {
    ...{ kind: 'fired', severity: 'low', message: 'High latency', value: 1100, threshold: 1000, occurrences: 1 },
    ...{ atMs, by: null, comment: null, channelIds: ['c1'] },
    ...change,
  };
}

/** aFiring answers the transition that opens an alert. */
export function aFiring(
  atMs: number,
  change: { key?: Partial<AlertKey>; channelIds?: readonly string[] } = {},
): Firing {
  return {
    previous: null,
    id: newId(randomBytes),
    key: { project: 'p', modelId: 'm', rule: 'latency', ...change.key },
    next: aState(atMs),
    events: [anEvent(atMs, { channelIds: change.channelIds ?? ['c1'] })],
    payload: (alert, event) => JSON.stringify({ alert: alert.id, event: event.eventId }),
  };
}

/** anEscalation answers the transition of `alert` to critical. */
export function anEscalation(alert: Alert, atMs: number): Change {
  const next = { ...alert, severity: 'critical', lastNotifiedMs: atMs } as const;
  return follow(alert, { next, events: [anEvent(atMs, { kind: 'escalated', severity: 'critical' })] });
}

/** aResolution answers the transition that ends `alert`. */
export function aResolution(alert: Alert, atMs: number): Change {
  const events = [anEvent(atMs, { kind: 'resolved', severity: alert.severity })];
  return follow(alert, { next: { ...alert, resolvedMs: atMs }, events });
}

/** committed answers a transition's result, and fails the test when it was a conflict. */
export function committed(outcome: TransitionOutcome): Extract<TransitionOutcome, { outcome: 'committed' }> {
  expect(outcome.outcome).toBe('committed');
  if (outcome.outcome !== 'committed') throw new Error('unreachable');
  return outcome;
}

function follow(previous: Alert, parts: Pick<Change, 'next' | 'events'>): Change {
  return { previous, payload: (alert, event) => JSON.stringify({ alert: alert.id, event: event.eventId }), ...parts };
}
