import type { IncomingHttpHeaders } from 'node:http';

/** What proxies, load balancers and tunnels add, besides every name that begins with `x-forwarded-`. */
const ADDED: ReadonlySet<string> = new Set([
  // RFC 7239 and RFC 9110
  ...['forwarded', 'via'],
  // nginx, HAProxy, Apache, Envoy, .NET
  ...['x-real-ip', 'x-client-ip', 'client-ip', 'x-cluster-client-ip', 'x-envoy-external-address'],
  ...['x-original-forwarded-for', 'x-original-for', 'x-original-host', 'x-original-proto', 'x-proxyuser-ip'],
  // content delivery networks and hosts
  ...['cdn-loop', 'cf-connecting-ip', 'cf-ray', 'true-client-ip', 'fastly-client-ip', 'fly-client-ip'],
  ...['x-azure-clientip', 'x-appengine-user-ip', 'x-amzn-trace-id'],
]);

/** What a proxy says besides for whom it speaks; harmless where that is this machine. */
const BESIDE: ReadonlySet<string> = new Set(['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']);

/**
 * forwardingHeader names a header by which a request shows that it came through a proxy for somebody elsewhere; null when
 * it shows none, or when each address in `X-Forwarded-For` is of this machine. A client can hide nothing by leaving such
 * a header out or by making one up, since a proxy that adds none cannot be told from a program of this machine anyway.
 */
export function forwardingHeader(headers: IncomingHttpHeaders): string | null {
  const isForHere = [headers['x-forwarded-for'] ?? ''].flat().every(isListOfLocal);
  for (const name in headers) {
    if (isForHere && (name === 'x-forwarded-for' || BESIDE.has(name))) continue;
    if (ADDED.has(name) || name.startsWith('x-forwarded-')) return name;
  }
  return null;
}

function isListOfLocal(list: string): boolean {
  return list.split(',').every((address) => isLocalAddress(address.trim()));
}

/** isLocalAddress tells whether an IP address is of the loopback. */
export function isLocalAddress(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
