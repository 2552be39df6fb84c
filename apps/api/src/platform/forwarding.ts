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

/**
 * forwardingHeader names a header by which a request shows that it came through a proxy; null when it shows none. A
 * client can hide nothing by leaving such a header out, since it is the proxy that adds it; a proxy that adds none
 * cannot be told from a program of this machine.
 */
export function forwardingHeader(headers: IncomingHttpHeaders): string | null {
  for (const name in headers) if (ADDED.has(name) || name.startsWith('x-forwarded-')) return name;
  return null;
}
