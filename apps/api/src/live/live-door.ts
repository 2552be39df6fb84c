import { authenticate, type Caller, checkLocal, type KeyRing } from '../platform/auth.js';
import type { Principal } from '../platform/principal.js';
import { HttpProblem } from '../platform/problem.js';
import { refuseUnknownNames } from '../platform/query-names.js';
import type { Tickets } from './tickets.js';

/** LIVE_PATH is where the live feed is. */
export const LIVE_PATH = '/api/v1/live';

/** LiveDoorDeps are what a connection is judged by. */
export interface LiveDoorDeps {
  readonly keys: KeyRing;
  readonly tickets: Tickets;
  /** Origins of web pages that may open the feed, besides pages that this server itself served. */
  readonly allowedOrigins: readonly string[];
  readonly maxClients: number;
  /** The feed, as far as the door sees it. */
  readonly feed: { readonly clients: number; readonly isOpen: boolean };
}

/** Visitor is an upgrade request: the caller, and the URL as it was sent. */
export interface Visitor extends Caller {
  readonly url: string;
}

/**
 * LiveDoor decides at the upgrade who may open the live feed, because nothing looks at a connection afterwards.
 *
 * Credentials are a key by either header or, for web pages, a ticket in the query; while no key exists, the machine
 * itself needs none. Browsers neither ask this server before they open a WebSocket (there is no CORS for it) nor hold
 * back the answer from the page, so the Origin is checked here, and for every credential: a page of another origin is
 * refused even with a valid key or ticket, unless its origin is listed, because whoever gave it that cannot have meant
 * it. Programs that are no browsers send no Origin and are not concerned.
 */
export class LiveDoor {
  private readonly admitted = new WeakMap<object, Principal>();

  constructor(private readonly deps: LiveDoorDeps) {}

  /**
   * admit lets a request through; it throws an HttpProblem: 401 or 403 for those who may not, 422 for a parameter that
   * the feed does not have, 503 where there is no room.
   */
  async admit(request: object, visitor: Visitor): Promise<void> {
    const { allowedOrigins, feed, maxClients } = this.deps;
    checkOrigin(visitor, allowedOrigins);
    const query = queryOf(visitor.url);
    const ticket = query.get('ticket');
    const principal =
      ticket === null
        ? await authenticate(visitor, 'read', this.deps.keys, { allowedOrigins })
        : await this.byTicket(ticket, visitor);
    refuseUnknownNames('GET', LIVE_PATH, [...query.keys()]);
    if (!feed.isOpen) throw new HttpProblem('draining', 'the server is stopping', { retryAfterS: 2 });
    if (feed.clients >= maxClients) {
      throw new HttpProblem('overloaded', `the live feed has its ${maxClients} clients`, { retryAfterS: 5 });
    }
    this.admitted.set(request, principal);
  }

  /** principalOf is who made a request that was let through. */
  principalOf(request: object): Principal | null {
    return this.admitted.get(request) ?? null;
  }

  /** A ticket from before the first key was made is worth nothing once there is one. */
  private async byTicket(ticket: string, visitor: Visitor): Promise<Principal> {
    const isOpenHouse = await this.deps.keys.isEmpty();
    if (isOpenHouse) checkLocal(visitor, this.deps);
    const principal = this.deps.tickets.redeem(ticket);
    if (principal && (isOpenHouse || principal.keyId !== null)) return principal;
    throw new HttpProblem('unauthenticated', 'the ticket is not known, was used, or is older than 30 s', {
      headers: { 'www-authenticate': 'Bearer realm="tidemark"' },
    });
  }
}

/**
 * A page is of this server when the Host that the browser asked has the name in its Origin. Ports and schemes are not
 * compared: a proxy that ends TLS changes both, and the pages of a machine's other ports hold no key of ours.
 */
function checkOrigin({ headers }: Visitor, allowedOrigins: readonly string[]): void {
  const { origin, host } = headers;
  if (origin === undefined || allowedOrigins.includes(origin)) return;
  const page = hostnameOf(origin);
  if (page !== '' && page === hostnameOf(`http://${host ?? ''}`)) return;
  throw new HttpProblem('bad_host', 'the Origin header names a page from elsewhere');
}

function hostnameOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

function queryOf(url: string): URLSearchParams {
  const query = url.indexOf('?');
  return new URLSearchParams(query < 0 ? '' : url.slice(query + 1));
}
