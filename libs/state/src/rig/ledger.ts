import { expect } from 'vitest';
import { Alerts } from '../alerts.js';
import { aFiring, committed, type MakeEngine, useState } from '../engine.contract.js';
import type { Held } from '../outbox.js';

/** useLedger gives every test an empty database of its own, and `fire`, which opens an alert that is owed to channels. */
export function useLedger(makeEngine: MakeEngine) {
  const { state, another } = useState(makeEngine);
  const fire = async (atMs: number, modelId = 'm', channelIds = ['c1']) =>
    committed(await new Alerts(state()).commitTransition(aFiring(atMs, { key: { modelId }, channelIds })));
  return { state, another, fire };
}

/** held answers how a delivery was held back at `atMs`, to be released later. */
export function held(atMs: number, releaseMs = atMs + 1000, byChannel = false): Held {
  return { reason: 'limit', atMs, releaseMs, byChannel };
}

/** tried answers a try at `atMs`. */
export function tried(atMs: number, detail: string | null = null) {
  return { atMs, durationMs: 12.5, detail };
}

/** only answers the one item of a list, and fails the test where there is not exactly one. */
export function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  const [item] = items;
  if (item === undefined) throw new Error('unreachable');
  return item;
}
