/** RedisAddress is where one Redis server listens. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** RedisLogin is who a client says it is; without a username it is the default user. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

/** RedisTarget is what a Redis URL names. */
export type RedisTarget = RedisLogin & { readonly tls: boolean } & (
    | ({ readonly kind: 'standalone'; readonly db: number } & RedisAddress)
    | {
        readonly kind: 'sentinel';
        readonly sentinels: readonly RedisAddress[];
        readonly masterName: string;
        readonly db: number;
        /** What the sentinels themselves ask for; the login above is that of the master. */
        readonly sentinelPassword?: string;
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] }
  );

/** RedisUrlResult is a target, or why a URL names none; the reason holds nothing of the URL, which may hold a password. */
export type RedisUrlResult =
  { readonly ok: true; readonly target: RedisTarget } | { readonly ok: false; readonly reason: string };

const FORMS =
  'redis://host:port/db, rediss:// for TLS, redis+sentinel://host:port,host:port/master/db, redis+cluster://host:port,host:port';
const URL_PARTS = /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/;
const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]@,]+))(?::(\d{1,5}))?$/i;
const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;

/**
 * readRedisUrl reads the URL of a standalone Redis, of one behind Sentinel, or of a Cluster. Several hosts are parted by
 * commas; a login stands before the first, percent-encoded; `?sentinel_password=` is what the sentinels ask for.
 */
export function readRedisUrl(text: string): RedisUrlResult {
  try {
    return { ok: true, target: parse(text) };
  } catch (error) {
    if (error instanceof RedisUrlFault) return { ok: false, reason: error.message };
    throw error;
  }
}

class RedisUrlFault extends Error {}

function parse(text: string): RedisTarget {
  const parts = URL_PARTS.exec(text);
  if (!parts) throw new RedisUrlFault(`must be one of ${FORMS}`);
  const [, scheme, plus, authority = '', path = '', query] = parts;
  const at = authority.lastIndexOf('@');
  const hosts = authority.slice(at + 1);
  const common = { tls: scheme === 'rediss', ...login(at < 0 ? '' : authority.slice(0, at)) };
  const segments = path.split('/').slice(1);
  const options = optionsOf(query);
  if (plus !== '+sentinel' && options.size > 0) throw new RedisUrlFault('takes no options after a question mark');
  if (plus === '+cluster') {
    if (segments.some((segment) => segment !== ''))
      throw new RedisUrlFault('names a database, and a cluster has one only');
    return { kind: 'cluster', nodes: addresses(hosts, REDIS_PORT), ...common };
  }
  if (plus === '+sentinel') return sentinel(addresses(hosts, SENTINEL_PORT), segments, options, common);
  const [address, ...others] = addresses(hosts, REDIS_PORT);
  if (!address || others.length > 0) {
    throw new RedisUrlFault('names several hosts: that takes redis+sentinel:// or redis+cluster://');
  }
  if (segments.length > 1) throw new RedisUrlFault('has more than a database number in its path');
  return { kind: 'standalone', ...address, db: database(segments[0]), ...common };
}

function sentinel(
  sentinels: readonly RedisAddress[],
  [master = '', db, ...rest]: readonly string[],
  options: ReadonlyMap<string, string>,
  common: RedisLogin & { readonly tls: boolean },
): RedisTarget {
  if (master === '') throw new RedisUrlFault('must name the master: redis+sentinel://host:port/master');
  if (rest.length > 0) throw new RedisUrlFault('has more than a master and a database number in its path');
  const unknown = [...options.keys()].find((name) => name !== 'sentinel_password');
  if (unknown !== undefined) throw new RedisUrlFault('takes no option but sentinel_password');
  const sentinelPassword = options.get('sentinel_password');
  return {
    kind: 'sentinel',
    sentinels,
    masterName: decoded(master),
    db: database(db),
    ...common,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
}

function addresses(text: string, defaultPort: number): RedisAddress[] {
  return text.split(',').map((one) => {
    const parts = ADDRESS.exec(one);
    if (!parts) throw new RedisUrlFault('must name hosts as host or host:port, an IPv6 address in brackets');
    const [, six, name, digits] = parts;
    const port = digits === undefined ? defaultPort : Number(digits);
    if (port < 1 || port > 65_535) throw new RedisUrlFault('names a port outside of 1 to 65535');
    return { host: six ?? name ?? '', port };
  });
}

function login(text: string): RedisLogin {
  if (text === '') return {};
  const colon = text.indexOf(':');
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? '' : decoded(text.slice(colon + 1));
  if (password === '')
    throw new RedisUrlFault('names a user without a password; a password alone is written :password@');
  return username === '' ? { password } : { username, password };
}

function database(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new RedisUrlFault('must have the number of a database at the end of its path');
  return Number(text);
}

function optionsOf(query: string | undefined): Map<string, string> {
  const pairs = (query ?? '').split('&').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [decoded(pair), ''] : [decoded(pair.slice(0, equals)), decoded(pair.slice(equals + 1))];
    }),
  );
}

/** By hand, because the URL class refuses several hosts. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlFault('holds a % that encodes nothing: write it as %25');
  }
}
