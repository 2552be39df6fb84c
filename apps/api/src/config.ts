import { isIP } from 'node:net';
import { resolve } from 'node:path';
import {
  duration,
  durationFrom,
  type Environment,
  host,
  httpUrl,
  integer,
  list,
  optional,
  origin,
  readSettings,
  setting,
  type SettingValues,
  SHARED_SETTINGS,
  size,
  unknownNames,
  WORKER_NAMES,
  word,
} from '@tidemark/program';

/** SETTINGS are all variables of the API, in the order of the documentation. */
export const SETTINGS = {
  host: setting(
    'API_HOST',
    '127.0.0.1',
    'Address to listen on. Any but a loopback address needs an API key first.',
    host,
  ),
  port: setting('API_PORT', '8000', 'Port to listen on; 0 takes a free one.', integer(0, 65535)),
  dataDir: setting(
    'TIDEMARK_DATA_DIR',
    './data',
    'Folder for the embedded databases, the spool of points and the secret key; one for each process.',
    (text) => resolve(text),
  ),
  influxUrl: setting(
    'INFLUXDB_URL',
    '',
    'InfluxDB that holds the points, such as http://influxdb:8086; when absent, a file in the data folder.',
    optional(httpUrl),
  ),
  influxToken: setting(
    'INFLUXDB_TOKEN',
    '',
    'Token for InfluxDB; for 1.x user:password. None where it asks for none.',
    optional(headerText),
  ),
  influxOrg: setting('INFLUXDB_ORG', 'tidemark', 'Organisation in InfluxDB 2.x.', (text) => text),
  influxBucket: setting(
    'INFLUXDB_BUCKET',
    'tidemark',
    'Bucket (2.x) or database (1.x, 3 Core) for the points; others beside it begin with its name.',
    bucket,
  ),
  influxGeneration: setting(
    'TIDEMARK_INFLUXDB_GENERATION',
    'auto',
    'Generation of InfluxDB: 1, 2 or 3; auto asks the server.',
    word(['auto', '1', '2', '3']),
  ),
  spoolBytes: setting(
    'TIDEMARK_SPOOL_MAX',
    '4GB',
    'Disk that points may take while InfluxDB is away; past it requests are answered 503.',
    size,
  ),
  ...SHARED_SETTINGS,
  publicUrl: setting(
    'TIDEMARK_PUBLIC_URL',
    '',
    'Where people reach this server; notifications link there.',
    optional(httpUrl),
  ),
  allowedOrigins: setting(
    'TIDEMARK_ALLOWED_ORIGINS',
    '',
    'Origins of web pages that may call the API, separated by commas.',
    list(origin),
  ),
  maxSeries: setting(
    'TIDEMARK_MAX_SERIES',
    '10000',
    'Active series (model and tags) a project may have.',
    integer(1, 1_000_000),
  ),
  maxQueuedPoints: setting(
    'TIDEMARK_MAX_QUEUED_POINTS',
    '100000',
    'Points that may wait for the disk before requests are answered 503.',
    integer(1000, 10_000_000),
  ),
  ringPoints: setting(
    'TIDEMARK_RING_POINTS',
    '1024',
    'Newest points kept in memory for each model.',
    integer(16, 1_048_576),
  ),
  ringModels: setting(
    'TIDEMARK_RING_MODELS',
    '1000',
    'Models whose newest points are kept in memory.',
    integer(1, 100_000),
  ),
  keyRateLimit: setting(
    'TIDEMARK_KEY_RATE_LIMIT',
    '60000',
    'Requests a minute that one API key may make; 0 for no limit.',
    integer(0, 1e9),
  ),
  liveClients: setting(
    'TIDEMARK_LIVE_CLIENTS',
    '10000',
    'Clients that may follow the live feed at once.',
    integer(1, 100_000),
  ),
  alertMaxAgeMs: setting(
    'TIDEMARK_ALERT_MAX_AGE',
    '1d',
    'How old a metric may be and still raise an alert; older ones, of a backfill perhaps, are only stored. At least 1m; what is older than points are kept is refused in any case.',
    // A metric takes a moment to come: with less, what is new would raise nothing either.
    durationFrom('1m'),
  ),
  rawRetention: setting('TIDEMARK_RETENTION_RAW', '7d', 'How long single points are kept.', duration),
  minuteRetention: setting('TIDEMARK_RETENTION_MINUTE', '30d', 'How long figures by the minute are kept.', duration),
  hourRetention: setting(
    'TIDEMARK_RETENTION_HOUR',
    '400d',
    'How long figures by the hour are kept; no shorter than the other two.',
    duration,
  ),
} as const;

type Values = Omit<SettingValues<typeof SETTINGS>, 'rawRetention' | 'minuteRetention' | 'hourRetention'>;

/** Config is everything that can be set from outside, read once at boot. */
export interface Config extends Values {
  readonly retention: { readonly rawMs: number; readonly minuteMs: number; readonly hourMs: number };
}

/** ConfigOutcome is a frozen Config, or every fault found, one line each. */
export type ConfigOutcome =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly string[] };

/** readConfig reads the whole environment and reports all faults together. */
export function readConfig(env: Environment): ConfigOutcome {
  const read = readSettings(SETTINGS, env);
  const { rawRetention: rawMs, minuteRetention: minuteMs, hourRetention: hourMs, ...values } = read.values;
  const faults = [
    ...read.faults,
    ...profileFaults(values),
    ...retentionFaults({ rawMs, minuteMs, hourMs }),
    ...unknownNames(env, Object.values(SETTINGS), WORKER_NAMES),
  ];
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, config: Object.freeze({ ...values, retention: { rawMs, minuteMs, hourMs } }) };
}

/** isLoopback tells whether a host to listen on can only be reached from this machine. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Several instances share all that they know, or one process keeps it to itself: what lies between would answer wrongly. */
function profileFaults({ influxUrl, databaseUrl, redisUrl, secret }: Values): string[] {
  const faults: string[] = [];
  if (redisUrl !== null && databaseUrl === null)
    faults.push('REDIS_URL: needs DATABASE_URL, because workers take from a database what they deliver');
  if (databaseUrl !== null && redisUrl === null)
    faults.push('DATABASE_URL: needs REDIS_URL, which carries deliveries to the workers');
  if (databaseUrl !== null && influxUrl === null)
    faults.push('DATABASE_URL: needs INFLUXDB_URL, because instances that share a database must share their points');
  if (databaseUrl !== null && secret === null)
    faults.push('TIDEMARK_SECRET: must be set with DATABASE_URL, because workers open what this program seals');
  return faults;
}

/** Figures are told of nothing that is older than the hours are kept: points beyond would take room and be seen in no chart. */
function retentionFaults({ rawMs, minuteMs, hourMs }: Config['retention']): string[] {
  const longer = [
    ...(rawMs > hourMs ? ['TIDEMARK_RETENTION_RAW'] : []),
    ...(minuteMs > hourMs ? ['TIDEMARK_RETENTION_MINUTE'] : []),
  ].join(' and ');
  if (longer === '') return [];
  return [`TIDEMARK_RETENTION_HOUR: must be at least ${longer}, because no figures are told of what is older`];
}

/** What cannot stand in a header would fail with each request, as if the server were away. */
function headerText(text: string): string {
  // A name with a password is sent as Base64.
  if (text.includes(':') || /^[\x21-\x7e]+$/.test(text)) return text;
  throw new Error('holds a space or another character that no header can carry');
}

function bucket(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(text)) return text;
  throw new Error(`"${text}" is not a name of up to 63 letters, digits, - and _`);
}
