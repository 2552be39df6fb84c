import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../platform/principal.js';
import { Tickets } from './tickets.js';

function open(maxTickets?: number) {
  const clock = { nowMs: 0 };
  const tickets = new Tickets({ steadyMs: () => clock.nowMs, randomBytes, ...(maxTickets ? { maxTickets } : {}) });
  return { clock, tickets };
}

const holder = (keyId: string): Principal => ({ project: 'p', scopes: ['read'], keyId });

describe('tickets', () => {
  it('are good for one use', () => {
    const { tickets } = open();
    const ticket = tickets.issue(holder('k')) ?? '';
    expect(tickets.redeem(ticket)).toEqual(holder('k'));
    expect(tickets.redeem(ticket)).toBeNull();
  });

  it('are good for 30 seconds', () => {
    const { clock, tickets } = open();
    const [inTime, late] = [tickets.issue(holder('k')) ?? '', tickets.issue(holder('k')) ?? ''];
    clock.nowMs = 29_999;
    expect(tickets.redeem(inTime)).toEqual(holder('k'));
    clock.nowMs = 30_000;
    expect(tickets.redeem(late)).toBeNull();
  });

  it('are bounded in number, with room again once some expired or were used', () => {
    const { clock, tickets } = open(2);
    const first = tickets.issue(holder('k')) ?? '';
    expect(tickets.issue(holder('k'))).not.toBeNull();
    expect(tickets.issue(holder('k'))).toBeNull();
    tickets.redeem(first);
    expect(tickets.issue(holder('k'))).not.toBeNull();
    expect(tickets.issue(holder('k'))).toBeNull();
    clock.nowMs = 30_000;
    expect(tickets.issue(holder('k'))).not.toBeNull();
  });

  it('hold 256 bits of chance, and the digest that is kept opens nothing', () => {
    const { tickets } = open();
    const ticket = tickets.issue(holder('k')) ?? '';
    expect(Buffer.from(ticket, 'base64url')).toHaveLength(32);
    expect(tickets.redeem(createHash('sha256').update(ticket).digest('base64'))).toBeNull();
    expect(tickets.redeem('')).toBeNull();
  });

  it('of a revoked key can be taken back', () => {
    const { tickets } = open();
    const [gone, kept] = [tickets.issue(holder('a')) ?? '', tickets.issue(holder('b')) ?? ''];
    tickets.revoke(({ keyId }) => keyId === 'a');
    expect(tickets.redeem(gone)).toBeNull();
    expect(tickets.redeem(kept)).toEqual(holder('b'));
  });
});
