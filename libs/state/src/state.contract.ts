import { describe } from 'vitest';
import { describePort as describeAlerts } from './alerts.contract.js';
import { describePort as describeBacklogs } from './backlogs.contract.js';
import { describePort as describeClaims } from './claims.contract.js';
import type { MakeEngine } from './engine.contract.js';
import { describePort as describeKeys } from './keys.contract.js';
import { describePort as describeLeases } from './leases.contract.js';
import { describePort as describeOutbox } from './outbox.contract.js';
import { describePort as describeRecentSends } from './recent-sends.contract.js';
import { describePort as describeRegistry } from './registry.contract.js';
import { describePort as describeRelease } from './release.contract.js';
import { describePort as describeRevisions } from './revisions.contract.js';
import { describePort as describeWriters } from './writers.contract.js';

/** describePort runs the whole behaviour of the state on one engine. */
export function describePort(engine: string, makeEngine: MakeEngine): void {
  describe(`the state on ${engine}`, () => {
    describe('its registry', () => describeRegistry(makeEngine));
    describe('its alerts', () => describeAlerts(makeEngine));
    describe('its outbox and ledger', () => describeOutbox(makeEngine));
    describe('its recent sends', () => describeRecentSends(makeEngine));
    describe('its releases', () => describeRelease(makeEngine));
    describe('its claims', () => describeClaims(makeEngine));
    describe('its leases', () => describeLeases(makeEngine));
    describe('its revisions', () => describeRevisions(makeEngine));
    describe('its writers', () => describeWriters(makeEngine));
    describe('its backlogs', () => describeBacklogs(makeEngine));
    describe('its API keys', () => describeKeys(makeEngine));
  });
}
