import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Access } from './access.js';
import { forwardingHeader, isLocalAddress } from './forwarding.js';
import { may, OPERATOR, type Principal } from './principal.js';
import { HttpProblem } from './problem.js';

/** KeyRing knows the API keys. */
export interface KeyRing {
  /** isEmpty tells whether no key was ever made, in any project; it may have to look. */
  isEmpty(): boolean | Promise<boolean>;
  /** verify finds whose key this is, in constant time for a known id; null for no key of ours. */
  verify(presented: string): Promise<Principal | null>;
}

/** Caller is what is known of a request before its body is read. */
export interface Caller {
  readonly headers: IncomingHttpHeaders;
  /** Address of the peer. */
  readonly remoteAddress: string | undefined;
}

/** AuthOptions are the origins of web pages that may call, besides pages of this machine. */
export interface AuthOptions {
  readonly allowedOrigins: readonly string[];
}

/** authenticate finds who calls and whether they may; it throws an HttpProblem (401, 403) if not. */
export async function authenticate(
  caller: Caller,
  access: Access,
  keys: KeyRing,
  options: AuthOptions,
): Promise<Principal> {
  if (access === 'public') return OPERATOR;
  if (await keys.isEmpty()) {
    checkLocal(caller, options);
    return OPERATOR;
  }
  const presented = presentedKey(caller.headers);
  const principal = presented === null ? null : await keys.verify(presented);
  if (!principal) {
    const detail = presented === null ? 'the request carries no key' : 'the key is not known or was revoked';
    throw new HttpProblem('unauthenticated', detail, { headers: { 'www-authenticate': 'Bearer realm="tidemark"' } });
  }
  if (!may(principal, access)) throw new HttpProblem('forbidden', `the key has no "${access}" scope`);
  return principal;
}

/** presentedKey is the key that a request carries, by either header. */
export function presentedKey(headers: IncomingHttpHeaders): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const plain = headers['x-api-key'];
  return bearer ?? (typeof plain === 'string' && plain !== '' ? plain : null);
}

/**
 * checkLocal lets a request without a key through only from this machine and under one of its own names: a web page
 * that points its own name at 127.0.0.1 (DNS rebinding), or posts here from elsewhere, is refused, and so is a proxy on
 * this machine that does not say that it speaks for this machine.
 */
export function checkLocal(caller: Caller, options: AuthOptions): void {
  if (!isLocalAddress(caller.remoteAddress ?? '')) {
    throw new HttpProblem('unauthenticated', 'without a key only this machine itself is served', {
      headers: { 'www-authenticate': 'Bearer realm="tidemark"' },
    });
  }
  const header = forwardingHeader(caller.headers);
  if (header !== null) {
    throw new HttpProblem(
      'proxied',
      `the header ${header} says that a proxy sent this, and no key exists yet; make one`,
    );
  }
  const host = caller.headers.host ?? '';
  if (!isLocalName(hostnameOf(`http://${host}`)))
    throw new HttpProblem('bad_host', 'the Host header does not name this machine');
  const origin = caller.headers.origin;
  if (origin !== undefined && !isLocalName(hostnameOf(origin)) && !options.allowedOrigins.includes(origin)) {
    throw new HttpProblem('bad_host', 'the Origin header names a page from elsewhere');
  }
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}

function isLocalName(hostname: string | null): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    (hostname !== null && isIP(hostname) === 4 && hostname.startsWith('127.'))
  );
}
