import { describe } from 'vitest';
import { describePort as describeAlerts } from './alerts.contract.js';
import type { MakeEngine } from './engine.contract.js';
import { describePort as describeKeys } from './keys.contract.js';
import { describePort as describeOutbox } from './outbox.contract.js';
import { describePort as describeRegistry } from './registry.contract.js';

/** describePort runs the whole behaviour of the state on one engine. */
export function describePort(engine: string, makeEngine: MakeEngine): void {
  describe(`the state on ${engine}`, () => {
    describeRegistry(makeEngine);
    describeAlerts(makeEngine);
    describeOutbox(makeEngine);
    describeKeys(makeEngine);
  });
}
