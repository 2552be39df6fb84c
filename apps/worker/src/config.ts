import {
  API_NAMES,
  type Environment,
  host,
  integer,
  readSettings,
  setting,
  type SettingValues,
  SHARED_SETTINGS,
  unknownNames,
} from '@tidemark/program';

/** SETTINGS are all variables of the worker, in the order of the documentation. */
export const SETTINGS = {
  host: setting('WORKER_HOST', '127.0.0.1', 'Address on which the worker tells of its health.', host),
  port: setting(
    'WORKER_PORT',
    '8001',
    'Port on which the worker tells of its health; 0 takes a free one.',
    integer(0, 65535),
  ),
  concurrency: setting(
    'TIDEMARK_WORKER_CONCURRENCY',
    '16',
    'Deliveries that a worker sends at once.',
    integer(1, 1000),
  ),
  ...SHARED_SETTINGS,
} as const;

type Values = SettingValues<typeof SETTINGS>;

/** Config is everything that can be set from outside, read once at boot. */
export interface Config extends Values {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly secret: string;
}

/** ConfigOutcome is a frozen Config, or every fault found, one line each. */
export type ConfigOutcome =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly string[] };

/** readConfig reads the whole environment and reports all faults together. */
export function readConfig(env: Environment): ConfigOutcome {
  const { values, faults: read } = readSettings(SETTINGS, env);
  const { databaseUrl, redisUrl, secret } = values;
  const faults = [...read, ...unknownNames(env, Object.values(SETTINGS), API_NAMES)];
  for (const [name, value, what] of [
    ['DATABASE_URL', databaseUrl, 'the PostgreSQL that the API writes deliveries to'],
    ['REDIS_URL', redisUrl, 'the Redis that carries them'],
    ['TIDEMARK_SECRET', secret, 'the secret that the API seals channels with'],
  ] as const) {
    if (value === null && !env[name]) faults.push(`${name}: must be set to ${what}`);
  }
  if (databaseUrl === null || redisUrl === null || secret === null || faults.length > 0) return { ok: false, faults };
  return { ok: true, config: Object.freeze({ ...values, databaseUrl, redisUrl, secret }) };
}
