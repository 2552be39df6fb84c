import type { Point } from '../point-store.js';
import type { LinesContent } from './scan-lines.js';

/** Points of at most so many are remembered for the next flush; what is beyond is read back from the database. */
const MAX_POINTS = 500_000;

/** Sent is a request whose points no rollup counts yet. */
export interface Sent {
  ticket: number;
  readonly content: LinesContent;
  /** Its points; null when only the database can tell which of them it has. */
  points: readonly Point[] | null;
  isSettled: boolean;
  /** How many points and requests it stands for: what was joined is read, and its receipts are read, all the same. */
  size: number;
  requests: number;
}

/** SendOutcome says whether the points of a request are in the database. */
export type SendOutcome = 'stored' | 'absent' | 'unknown';

/** Unflushed keeps, in the order of their tickets, what was sent since the last flush. */
export class Unflushed {
  private sent: Sent[] = [];
  private points = 0;
  private lastTicket: number;

  constructor(
    lastTicket: number,
    private readonly clock: () => number,
  ) {
    this.lastTicket = lastTicket;
  }

  /** load is how much waits for a flush that could begin now. */
  get load(): { readonly points: number; readonly requests: number } {
    const load = { points: 0, requests: 0 };
    for (const { isSettled, size, requests } of this.sent) {
      if (!isSettled) break;
      load.points += size;
      load.requests += requests;
    }
    return load;
  }

  get isEmpty(): boolean {
    return this.sent.length === 0;
  }

  /** begin gives a request its ticket, before it is sent. */
  begin(content: LinesContent, points: readonly Point[] | null): Sent {
    this.lastTicket = Math.max(this.lastTicket + 1, Math.floor(this.clock() * 1000));
    const sent = sentOf(this.lastTicket, content, points);
    this.sent.push(sent);
    return sent;
  }

  /** recover takes up a request of the slot's last holder. */
  recover(ticket: number, content: LinesContent): void {
    this.sent.push({ ...sentOf(ticket, content, null), isSettled: true });
    this.sent.sort((a, b) => a.ticket - b.ticket);
    this.lastTicket = Math.max(this.lastTicket, ticket);
  }

  settle(sent: Sent, outcome: SendOutcome): void {
    const at = this.sent.lastIndexOf(sent);
    if (at < 0) return;
    sent.isSettled = true;
    if (outcome === 'absent') {
      this.sent.splice(at, 1);
      return;
    }
    if (outcome === 'unknown' || this.points + (sent.points?.length ?? 0) > MAX_POINTS) sent.points = null;
    this.points += sent.points?.length ?? 0;
    if (sent.points !== null) return;
    // While a server is away everything is sent again and again: neighbours of that kind become one.
    this.join(at);
    this.join(at - 1);
  }

  /** ready are the requests up to the first that is still under way: a flush may count these. */
  ready(): readonly Sent[] {
    const end = this.sent.findIndex(({ isSettled }) => !isSettled);
    return end < 0 ? [...this.sent] : this.sent.slice(0, end);
  }

  /** counted forgets the requests up to a ticket. */
  counted(ticket: number): void {
    this.sent = this.sent.filter((one) => one.ticket > ticket);
    this.points = this.sent.reduce((sum, one) => sum + (one.isSettled ? (one.points?.length ?? 0) : 0), 0);
  }

  /** join makes one of a request and the next, if only the database knows what both of them stored. */
  private join(at: number): void {
    const [one, next] = at < 0 ? [] : this.sent.slice(at, at + 2);
    if (!one?.isSettled || !next?.isSettled || one.points !== null || next.points !== null) return;
    one.content.minutes.addAll(next.content.minutes);
    one.content.points.addAll(next.content.points);
    one.content.drifts.addAll(next.content.drifts);
    one.content.newestMs = Math.max(one.content.newestMs, next.content.newestMs);
    one.ticket = next.ticket;
    one.size = one.content.points.size;
    one.requests += next.requests;
    this.sent.splice(at + 1, 1);
  }
}

function sentOf(ticket: number, content: LinesContent, points: readonly Point[] | null): Sent {
  return { ticket, content, points, isSettled: false, size: content.points.size, requests: 1 };
}
