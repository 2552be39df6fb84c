import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { API_NAMES, SHARED_SETTINGS } from '@tidemark/program';
import { SETTINGS, isLoopback, readConfig } from './config.js';

const configOf = (env: Record<string, string>) => {
  const outcome = readConfig(env);
  if (!outcome.ok) throw new Error(outcome.faults.join('\n'));
  return outcome.config;
};
const faultsOf = (env: Record<string, string>) => {
  const outcome = readConfig(env);
  return outcome.ok ? [] : outcome.faults;
};

describe('readConfig', () => {
  it('needs nothing', () => {
    expect(configOf({})).toMatchObject({
      ...{
        host: '127.0.0.1',
        port: 8000,
        dataDir: resolve('data'),
        logLevel: 'info',
        publicUrl: null,
        secret: null,
        smtp: null,
      },
      ...{ allowedOrigins: [], maxSeries: 10_000, keyRateLimit: 60_000, drainMs: 10_000 },
      retention: { rawMs: 7 * 86_400_000, minuteMs: 30 * 86_400_000, hourMs: 400 * 86_400_000 },
    });
  });

  it('reads its own defaults as they are documented', () => {
    const env = Object.fromEntries(Object.values(SETTINGS).map(({ env, byDefault }) => [env, byDefault]));
    expect(configOf(env)).toEqual(configOf({}));
  });

  it('names every variable once, and says of each what it is', () => {
    const keys = Object.values(SETTINGS);
    expect(new Set(keys.map(({ env }) => env)).size).toBe(keys.length);
    for (const { env, help } of keys) {
      expect(env).toMatch(/^(API_HOST|API_PORT|LOG_LEVEL|SMTP_URL|(INFLUXDB|REDIS|DATABASE)_[A-Z]+|TIDEMARK_[A-Z_]+)$/);
      expect(help).toMatch(/^[A-Z].*\.$/s);
    }
  });

  it.each([
    ['TIDEMARK_RETENTION_RAW', '99999999d', /: "99999999d" is too long; the most is 999999 of a unit$/],
    ['TIDEMARK_RETENTION_RAW', '7', /: "7" is not a time such as/],
  ])('says of %s=%s what it may be', (name, text, fault) => {
    expect(faultsOf({ [name]: text })).toEqual([expect.stringMatching(fault)]);
  });

  it('takes an empty or blank variable for one that is absent', () => {
    expect(configOf({ API_PORT: '', API_HOST: '  ', SMTP_URL: '' })).toEqual(configOf({}));
  });

  it('reads what is given', () => {
    const config = configOf({
      ...{ API_HOST: '::1', API_PORT: '0', TIDEMARK_DATA_DIR: '/tmp/x', LOG_LEVEL: 'silent' },
      TIDEMARK_PUBLIC_URL: 'https://tidemark.example/',
      TIDEMARK_ALLOWED_ORIGINS: 'https://a.example, http://b.example:3000/path',
      TIDEMARK_SECRET: 'x'.repeat(32),
      TIDEMARK_RETENTION_RAW: '36h',
      TIDEMARK_KEY_RATE_LIMIT: '0',
    });
    expect(config).toMatchObject({
      ...{ host: '::1', port: 0, dataDir: '/tmp/x', logLevel: 'silent', publicUrl: 'https://tidemark.example' },
      ...{ allowedOrigins: ['https://a.example', 'http://b.example:3000'], secret: 'x'.repeat(32), keyRateLimit: 0 },
      retention: { rawMs: 36 * 3_600_000 },
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('tells of every fault together, one line each, by the name of the variable', () => {
    const faults = faultsOf({
      ...{ API_HOST: 'everywhere', API_PORT: '99999', LOG_LEVEL: 'loud', TIDEMARK_SECRET: 'short' },
      ...{
        TIDEMARK_PUBLIC_URL: 'ftp://x',
        TIDEMARK_ALLOWED_ORIGINS: 'nowhere',
        TIDEMARK_ALLOWED_TARGETS: '10.0.0.0/99',
      },
      ...{ SMTP_URL: 'http://mail', TIDEMARK_EMAIL_FROM: 'a@b.example, c@d.example', TIDEMARK_MAX_SERIES: '0' },
      ...{ TIDEMARK_RETENTION_RAW: '7 days', TIDEMARK_DRAIN_TIMEOUT: '0s', TIDEMARK_RING_POINTS: '1e3' },
      ...{ REDIS_URL: 'redis://localhost', TIDEMARK_RETENTION: '7d' },
    });
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual(
      [
        ...['API_HOST', 'API_PORT', 'LOG_LEVEL', 'REDIS_URL', 'SMTP_URL'],
        ...['ALLOWED_ORIGINS', 'ALLOWED_TARGETS', 'DRAIN_TIMEOUT', 'EMAIL_FROM', 'MAX_SERIES', 'PUBLIC_URL'].map(
          (name) => `TIDEMARK_${name}`,
        ),
        ...['RETENTION', 'RETENTION_RAW', 'RING_POINTS', 'SECRET'].map((name) => `TIDEMARK_${name}`),
      ].sort(),
    );
    for (const fault of faults) expect(fault).not.toContain('\n');
  });

  it.each(
    ['-1', '1.5', '0x10', '1e3', ' ', '٣', '65536', '8000 '].filter(
      (text) => text.trim() !== '8000' && text.trim() !== '',
    ),
  )('refuses the port "%s"', (port) => expect(faultsOf({ API_PORT: port })).toHaveLength(1));

  it.each(['0d', '-1d', '1.5h', '7', 'd', '1w', '9999999d'])('refuses the time "%s"', (time) => {
    expect(faultsOf({ TIDEMARK_RETENTION_RAW: time })).toHaveLength(1);
  });

  it('refuses a name of Tidemark that it does not know, and lets those of others be', () => {
    expect(faultsOf({ TIDEMARK_MAXSERIES: '5' })).toEqual([expect.stringContaining('TIDEMARK_MAXSERIES')]);
    expect(faultsOf({ PATH: '/bin', TIDE: 'x', tidemark_port: '1' })).toEqual([]);
  });

  it('refuses to keep points or minutes longer than the figures by the hour, without which nothing is told of them', () => {
    const fault = expect.stringMatching(/^TIDEMARK_RETENTION_HOUR: .*TIDEMARK_RETENTION_RAW/);
    expect(faultsOf({ TIDEMARK_RETENTION_RAW: '401d' })).toEqual([fault]);
    expect(faultsOf({ TIDEMARK_RETENTION_MINUTE: '401d' })).toEqual([
      expect.stringMatching(/^TIDEMARK_RETENTION_HOUR: .*TIDEMARK_RETENTION_MINUTE/),
    ]);
    expect(faultsOf({ TIDEMARK_RETENTION_HOUR: '29d' })).toHaveLength(1);
    expect(faultsOf({ TIDEMARK_RETENTION_RAW: '400d', TIDEMARK_RETENTION_MINUTE: '1d' })).toEqual([]);
    expect(faultsOf({ TIDEMARK_RETENTION_RAW: '401 days' })).toHaveLength(1);
  });

  it.each(['a b', 'a/b', 'a"b', 'ä', '-a', 'x'.repeat(64), '_internal'])('refuses the bucket %s', (name) => {
    expect(faultsOf({ INFLUXDB_BUCKET: name })).toEqual([expect.stringMatching(/^INFLUXDB_BUCKET: /)]);
  });

  it('lets no metric be too old for an alert on arrival', () => {
    expect(faultsOf({ TIDEMARK_ALERT_MAX_AGE: '59s' })).toEqual([
      'TIDEMARK_ALERT_MAX_AGE: "59s" is too short; the least is 1m',
    ]);
    expect(faultsOf({ TIDEMARK_ALERT_MAX_AGE: '0s' })).toEqual([
      'TIDEMARK_ALERT_MAX_AGE: "0s" is too short; the least is 1m',
    ]);
    expect(faultsOf({ TIDEMARK_RETENTION_RAW: '0h' })).toEqual([
      'TIDEMARK_RETENTION_RAW: "0h" is too short; the least is 1s',
    ]);
    expect(faultsOf({ TIDEMARK_ALERT_MAX_AGE: '60s' })).toEqual([]);
    expect(faultsOf({ TIDEMARK_ALERT_MAX_AGE: 'never' })).toHaveLength(1);
  });

  it('knows which servers go together, and what they need', () => {
    const all = {
      INFLUXDB_URL: 'http://influx:8086',
      DATABASE_URL: 'postgres://u:p@db/tidemark',
      REDIS_URL: 'redis://redis',
      TIDEMARK_SECRET: 'x'.repeat(32),
    };
    expect(configOf(all)).toMatchObject({ influxUrl: 'http://influx:8086', databaseUrl: all.DATABASE_URL });
    expect(configOf({ INFLUXDB_URL: all.INFLUXDB_URL })).toMatchObject({ databaseUrl: null });
    const without = (name: keyof typeof all): readonly string[] => faultsOf({ ...all, [name]: '' });
    expect(without('DATABASE_URL')).toEqual([expect.stringMatching(/^REDIS_URL: needs DATABASE_URL/)]);
    expect(without('REDIS_URL')).toEqual([expect.stringMatching(/^DATABASE_URL: needs REDIS_URL/)]);
    expect(without('INFLUXDB_URL')).toEqual([expect.stringMatching(/^DATABASE_URL: needs INFLUXDB_URL/)]);
    expect(without('TIDEMARK_SECRET')).toEqual([expect.stringMatching(/^TIDEMARK_SECRET: must be set/)]);
    expect(faultsOf({ ...all, REDIS_URL: 'http://redis' })[0]).toMatch(/^REDIS_URL: /);
  });

  it('refuses a token that no request can carry', () => {
    expect(configOf({ INFLUXDB_TOKEN: 'aB3-_==' }).influxToken).toBe('aB3-_==');
    expect(configOf({ INFLUXDB_TOKEN: 'me:sec ret' }).influxToken).toBe('me:sec ret');
    expect(faultsOf({ INFLUXDB_TOKEN: 'two\nlines' })).toEqual([expect.stringMatching(/^INFLUXDB_TOKEN: holds/)]);
  });

  it('lets the variables of the worker be, and the worker those of this program', () => {
    expect(faultsOf({ TIDEMARK_WORKER_CONCURRENCY: '4' })).toEqual([]);
    const ours = Object.values(SETTINGS).map(({ env }) => env);
    const shared = Object.values(SHARED_SETTINGS).map(({ env }) => env);
    const alone = ours.filter((env) => env.startsWith('TIDEMARK_') && !shared.some((one) => one === env));
    expect([...API_NAMES].sort()).toEqual(alone.sort());
  });

  it('repeats no secret in a fault', () => {
    const faults = faultsOf({
      SMTP_URL: 'http://user:hunter2@mail.example',
      TIDEMARK_SECRET: 'hunter2',
      TIDEMARK_PUBLIC_URL: 'ftp://user:hunter2@x',
    });
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('hunter2');
  });
});

describe('isLoopback', () => {
  it.each([
    ...['127.0.0.1', '127.1.2.3', '::1', 'localhost'].map((host) => [host, true] as const),
    ...['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', '::ffff:10.0.0.1', '128.0.0.1'].map(
      (host) => [host, false] as const,
    ),
  ])('of %s is %s', (host, wanted) => {
    expect(isLoopback(host)).toBe(wanted);
  });
});
