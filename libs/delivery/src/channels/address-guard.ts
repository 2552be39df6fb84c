import { BlockList, isIP } from 'node:net';

/** Destination is one address about to be connected to, with the name it was looked up by. */
export interface Destination {
  /** Name or literal address as the URL has it, lower case, without brackets. */
  readonly host: string;
  /** The address to be connected to. */
  readonly address: string;
  readonly port: number;
}

/** AddressGuard decides which addresses outgoing connections may reach. */
export interface AddressGuard {
  /** Returns undefined where the connection may be made, else why not. */
  refusal(destination: Destination): string | undefined;
}

/** AllowRule lets one network, one host or one host and port through. */
export type AllowRule =
  | { readonly kind: 'network'; readonly address: string; readonly prefix: number; readonly port?: number }
  | { readonly kind: 'host'; readonly host: string; readonly port?: number };

/** AllowListResult is a read allow-list, or what is wrong with each bad entry. */
export type AllowListResult =
  | { readonly ok: true; readonly rules: readonly AllowRule[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * parseAllowList reads entries of the forms `10.0.0.0/8`, `10.1.2.3`, `fd00::/8`, `[::1]:9000`, `127.0.0.1:9000`,
 * `hooks.internal` and `hooks.internal:8080`. Without a port an entry covers every port.
 */
export function parseAllowList(entries: readonly string[]): AllowListResult {
  const rules: AllowRule[] = [];
  const faults: string[] = [];
  for (const entry of entries) {
    const rule = parseRule(entry.trim().toLowerCase());
    if (rule === undefined) faults.push(`"${entry}" is neither a network, an address nor a host with an optional port`);
    else rules.push(rule);
  }
  return faults.length === 0 ? { ok: true, rules } : { ok: false, faults };
}

/** createAddressGuard refuses every address that is not public unicast, except for what `allow` lets through. */
export function createAddressGuard(allow: readonly AllowRule[] = []): AddressGuard {
  const matchers = allow.map(matcherOf);
  return {
    refusal(destination) {
      const address = plainAddress(destination.address);
      if (isIP(address) === 0) return 'not an address';
      const host = destination.host.replace(/\.$/, '');
      if (matchers.some((matches) => matches({ ...destination, host, address }))) return undefined;
      if (isPublic(address)) return undefined;
      return `${address} is not a public address; where it is meant, list it in TIDEMARK_ALLOWED_TARGETS`;
    },
  };
}

const PRIVATE_V4 = blockList('ipv4', [
  '0.0.0.0/8', // this network
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8',
  '169.254.0.0/16', // link local, cloud metadata
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]);

/** Only 2000::/3 is handed out for unicast (RFC 4291); what is special in it is cut out again. */
const GLOBAL_V6 = blockList('ipv6', ['2000::/3']);
const SPECIAL_V6 = blockList('ipv6', [
  '2001::/23', // protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which embeds an IPv4 address
  '3fff::/20', // documentation
]);
/** 64:ff9b::/96 (RFC 6052): the last 32 bits are an IPv4 address, judged as such. */
const NAT64 = blockList('ipv6', ['64:ff9b::/96']);

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !PRIVATE_V4.check(address, 'ipv4');
  if (NAT64.check(address, 'ipv6')) return !PRIVATE_V4.check(lastFourBytes(address), 'ipv4');
  return GLOBAL_V6.check(address, 'ipv6') && !SPECIAL_V6.check(address, 'ipv6');
}

/** Drops a zone (`fe80::1%eth0`) and turns an IPv4-mapped address into the IPv4 address that it is. */
function plainAddress(address: string): string {
  const zoneless = address.split('%')[0] ?? '';
  return isIP(zoneless) === 6 && isMapped(zoneless) ? lastFourBytes(zoneless) : zoneless;
}

function isMapped(address: string): boolean {
  const groups = groupsOf(address);
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
}

function lastFourBytes(address: string): string {
  const [high = 0, low = 0] = groupsOf(address).slice(6);
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight 16-bit groups of an IPv6 address; the URL parser does the normalising. */
function groupsOf(address: string): number[] {
  const normal = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(gap).fill('0'), ...right].map((group) => parseInt(group, 16));
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix = ''] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

function parseRule(entry: string): AllowRule | undefined {
  const cidr = /^\[?([0-9a-f:.]+?)\]?\/(\d{1,3})$/.exec(entry);
  if (cidr) return networkRule(cidr[1] ?? '', Number(cidr[2]));
  if (isIP(entry) !== 0) return networkRule(entry, isIP(entry) === 4 ? 32 : 128);
  const split = /^(\[[0-9a-f:.]+\]|[^:/@[\]\s]+)(?::(\d{1,5}))?$/.exec(entry);
  const host = (split?.[1] ?? '').replace(/^\[|\]$/g, '');
  const port = split?.[2] === undefined ? undefined : Number(split[2]);
  if (host === '' || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  if (isIP(host) !== 0) return networkRule(host, isIP(host) === 4 ? 32 : 128, port);
  // A dotted number that is no address would never match anything: a typing error, not a host.
  if (!/^[a-z0-9_.-]*[a-z][a-z0-9_.-]*$/.test(host)) return undefined;
  return { kind: 'host', host, ...(port === undefined ? {} : { port }) };
}

function networkRule(address: string, prefix: number, port?: number): AllowRule | undefined {
  const family = isIP(address);
  if (family === 0 || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { kind: 'network', address, prefix, ...(port === undefined ? {} : { port }) };
}

function matcherOf(rule: AllowRule): (destination: Destination) => boolean {
  const portFits = (port: number): boolean => rule.port === undefined || rule.port === port;
  if (rule.kind === 'host') return ({ host, port }) => host === rule.host && portFits(port);
  const family = isIP(rule.address) === 4 ? 'ipv4' : 'ipv6';
  const network = blockList(family, [`${rule.address}/${rule.prefix}`]);
  return ({ address, port }) =>
    (isIP(address) === 4) === (family === 'ipv4') && network.check(address, family) && portFits(port);
}
