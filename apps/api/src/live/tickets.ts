import { createHash } from 'node:crypto';
import type { Principal } from '../platform/principal.js';

/** TICKET_TTL_MS is how long a ticket opens the live feed. */
export const TICKET_TTL_MS = 30_000;
const MAX_TICKETS = 20_000;
const TICKET_BYTES = 32;

/** TicketsOptions are the sources of time and chance. */
export interface TicketsOptions {
  readonly steadyMs: () => number;
  readonly randomBytes: (size: number) => Buffer;
  /** Tickets that may be out at once. */
  readonly maxTickets?: number;
}

interface Held {
  readonly principal: Principal;
  readonly untilMs: number;
}

/**
 * Tickets lets web pages open the live feed, which cannot send a key with a WebSocket: a page asks for a ticket with its
 * key and puts it into the URL. As URLs end up in logs and histories, a ticket opens one connection, within 30 s, and
 * what is kept of it here is its SHA-256.
 */
export class Tickets {
  private readonly held = new Map<string, Held>();

  constructor(private readonly options: TicketsOptions) {}

  /** issue makes a ticket for the caller's project and key; null when too many are out. */
  issue(principal: Principal): string | null {
    const nowMs = this.options.steadyMs();
    this.forgetExpired(nowMs);
    if (this.held.size >= (this.options.maxTickets ?? MAX_TICKETS)) return null;
    const ticket = this.options.randomBytes(TICKET_BYTES).toString('base64url');
    this.held.set(digest(ticket), { principal, untilMs: nowMs + TICKET_TTL_MS });
    return ticket;
  }

  /** redeem answers whose ticket it is, once; null for one that is used, expired or not ours. */
  redeem(ticket: string): Principal | null {
    const key = digest(ticket);
    const held = this.held.get(key);
    this.held.delete(key);
    return held && this.options.steadyMs() < held.untilMs ? held.principal : null;
  }

  /** revoke takes back the tickets that match, such as those of a key that was revoked. */
  revoke(matches: (principal: Principal) => boolean): void {
    for (const [key, { principal }] of this.held) if (matches(principal)) this.held.delete(key);
  }

  /** The order of the map is the order of expiry. */
  private forgetExpired(nowMs: number): void {
    for (const [key, { untilMs }] of this.held) {
      if (untilMs > nowMs) return;
      this.held.delete(key);
    }
  }
}

function digest(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
