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
}

/** SendOutcome says whether the points of a request are in the database. */
export type SendOutcome = 'stored' | 'absent' | 'unknown';

/** Unflushed keeps, in the order of their tickets, what was sent since the last flush. */
export class Unflushed {
  private sent: Sent[] = [];
  private lastTicket: number;

  constructor(
    lastTicket: number,
    private readonly clock: () => number,
  ) {
    this.lastTicket = lastTicket;
  }

  /** count is the number of points that are remembered and that a flush would count. */
  get count(): number {
    return countOf(this.ready());
  }

  get isEmpty(): boolean {
    return this.sent.length === 0;
  }

  /** begin gives a request its ticket, before it is sent. */
  begin(content: LinesContent, points: readonly Point[] | null): Sent {
    this.lastTicket = Math.max(this.lastTicket + 1, Math.floor(this.clock() * 1000));
    const sent: Sent = { ticket: this.lastTicket, content, points, isSettled: false };
    this.sent.push(sent);
    return sent;
  }

  /** recover takes up a request of the slot's last holder. */
  recover(ticket: number, content: LinesContent): void {
    this.sent.push({ ticket, content, points: null, isSettled: true });
    this.sent.sort((a, b) => a.ticket - b.ticket);
    this.lastTicket = Math.max(this.lastTicket, ticket);
  }

  settle(sent: Sent, outcome: SendOutcome): void {
    sent.isSettled = true;
    if (outcome === 'unknown' || countOf(this.sent) > MAX_POINTS) sent.points = null;
    if (outcome === 'absent') this.sent = this.sent.filter((one) => one !== sent);
    this.joinUnknown();
  }

  /** ready are the requests up to the first that is still under way: a flush may count these. */
  ready(): readonly Sent[] {
    const end = this.sent.findIndex(({ isSettled }) => !isSettled);
    return end < 0 ? [...this.sent] : this.sent.slice(0, end);
  }

  /** counted forgets the requests up to a ticket. */
  counted(ticket: number): void {
    this.sent = this.sent.filter((one) => one.ticket > ticket);
  }

  /** joinUnknown keeps the list short while a server is away and everything is sent again and again. */
  private joinUnknown(): void {
    const joined: Sent[] = [];
    for (const one of this.sent) {
      const last = joined.at(-1);
      if (last?.isSettled && one.isSettled && last.points === null && one.points === null) {
        last.content.minutes.addAll(one.content.minutes);
        last.content.points.addAll(one.content.points);
        last.content.drifts.addAll(one.content.drifts);
        last.content.newestMs = Math.max(last.content.newestMs, one.content.newestMs);
        last.ticket = one.ticket;
      } else {
        joined.push(one);
      }
    }
    this.sent = joined;
  }
}

function countOf(sent: readonly Sent[]): number {
  return sent.reduce((sum, { points }) => sum + (points?.length ?? 0), 0);
}
