import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { INFLUXDB2_ORG, INFLUXDB2_TOKEN, INFLUXDB_MEMORY } from '@tidemark/servers';
import { environmentFile } from '../tools/secrets.mjs';
import type { Json } from './rig/client.js';
import { commandFault, skipUnless } from './rig/skip.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const COMPOSE = '/usr/bin/docker-compose';
const SECRETS = join(ROOT, 'tools/secrets.mjs');

async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-compose-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** What docker-compose makes of the files, with an environment of these lines and nothing else. */
async function composed(
  lines: string,
  files = ['docker-compose.yml'],
  env: Record<string, string> = {},
): Promise<Json> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-compose-'));
  const file = join(folder, 'env');
  await writeFile(file, lines);
  const args = ['--env-file', file, ...files.flatMap((name) => ['-f', join(ROOT, name)]), 'config'];
  try {
    const { stdout } = await run(COMPOSE, args, { cwd: ROOT, env: { PATH: process.env['PATH'], ...env } });
    return parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const LINES = environmentFile({ publicUrl: 'https://tidemark.example.com' });

describe('docker-compose.yml', () => {
  let fault: string | null = null;
  let whole: Json;

  beforeAll(async () => {
    fault = await commandFault(COMPOSE, ['version']);
    if (fault === null) whole = await composed(LINES);
  });
  beforeEach((context) => skipUnless(context, fault));

  test('hardens, bounds and watches every service', async () => {
    const { services } = whole;
    expect(Object.keys(services).sort()).toEqual([
      'api-1',
      'api-2',
      'influxdb',
      'nginx',
      'postgres',
      'redis',
      'worker',
    ]);
    for (const service of Object.values<Json>(services)) {
      expect(service).toMatchObject({
        image: expect.stringMatching(/:\d+\.\d+\.\d+(-alpine)?$|^postgres:\d+\.\d+-alpine$/),
        user: expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/),
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        restart: 'unless-stopped',
        mem_limit: expect.stringMatching(/^\d+[mg]$/),
        cpus: expect.any(Number),
        pids_limit: expect.any(Number),
        healthcheck: { test: expect.any(Array), interval: expect.any(String), timeout: expect.any(String) },
        logging: { options: { 'max-size': '10m' } },
      });
      expect(service.privileged).toBeUndefined();
      for (const { condition } of Object.values<Json>(service.depends_on ?? {}))
        expect(condition).toBe('service_healthy');
    }
  });

  test('opens one port, on this machine only, and keeps the databases inside', async () => {
    const { services, networks } = whole;
    const ports = Object.entries<Json>(services).flatMap(([name, { ports = [] }]) =>
      ports.map((port: string) => [name, port]),
    );
    expect(ports).toEqual([['nginx', '127.0.0.1:8080:8080/tcp']]);
    expect(networks.back.internal).toBe(true);
    for (const name of ['influxdb', 'redis', 'postgres'])
      expect(Object.keys(services[name].networks)).toEqual(['back']);
  });

  test('sets InfluxDB up as the tests of the point store have it', async () => {
    const { services } = whole;
    const { environment } = services.influxdb;
    expect(services.influxdb.image).toMatch(/^influxdb:2\.7\./);
    expect(environment).toMatchObject({
      DOCKER_INFLUXDB_INIT_MODE: 'setup',
      DOCKER_INFLUXDB_INIT_ORG: INFLUXDB2_ORG,
      INFLUXD_REPORTING_DISABLED: 'true',
      INFLUXD_LOG_LEVEL: 'warn',
      ...INFLUXDB_MEMORY,
    });
    // Without one of these the first start sets up another token, or forgets data after a time.
    expect(environment.DOCKER_INFLUXDB_INIT_ADMIN_TOKEN).toHaveLength(INFLUXDB2_TOKEN.length);
    expect(environment).not.toHaveProperty('DOCKER_INFLUXDB_INIT_RETENTION');
    for (const name of ['api-1', 'api-2', 'worker']) {
      expect(services[name].environment).toMatchObject({
        INFLUXDB_URL: 'http://influxdb:8086',
        INFLUXDB_ORG: INFLUXDB2_ORG,
        INFLUXDB_TOKEN: environment.DOCKER_INFLUXDB_INIT_ADMIN_TOKEN,
      });
    }
  });

  test('gives each api an address that nginx knows and a volume of its own', async () => {
    const { services } = whole;
    const apis = ['api-1', 'api-2'].map((name) => services[name]);
    const addresses = apis.map(({ networks }) => networks.front.ipv4_address);
    const upstream = services.nginx.environment.NGINX_UPSTREAM;
    for (const address of addresses) expect(upstream).toContain(`server ${address}:8000 `);
    expect(upstream.match(/server /g)).toHaveLength(apis.length);
    expect(new Set(apis.map(({ volumes }) => volumes[0])).size).toBe(apis.length);
    expect(services.worker.scale).toBe(2);
  });

  test('sets every variable of the template of nginx', async () => {
    const template = await readFile(join(ROOT, 'nginx/nginx.conf.template'), 'utf8');
    const { services } = whole;
    for (const [, name = ''] of template.matchAll(/\$\{(NGINX_[A-Z_]+)\}/g)) {
      expect(Object.keys(services.nginx.environment)).toContain(name);
    }
  });

  test('has Redis keep what it was given, without its password in a list of processes', async () => {
    const { command } = whole.services.redis;
    const line = command.at(-1);
    for (const wanted of ['--appendonly yes', '--appendfsync everysec', '--maxmemory-policy noeviction']) {
      expect(line).toContain(wanted);
    }
    const password = /^REDIS_PASSWORD=(.+)$/m.exec(LINES)?.[1] ?? '-';
    expect(line).not.toContain(password);
  });

  test('waits longer for an api than the api for its work', async () => {
    const { services } = whole;
    for (const name of ['api-1', 'api-2', 'worker']) {
      const { stop_grace_period, environment } = services[name];
      expect(parseInt(stop_grace_period)).toBeGreaterThan(parseInt(environment.TIDEMARK_DRAIN_TIMEOUT));
    }
  });

  test('refuses to go on without any one of its secrets', async () => {
    const needed = [...LINES.matchAll(/^([A-Z_]+)=.+$/gm)].map(([line, name = '']) => ({ line, name }));
    expect(needed.length).toBe(6);
    for (const [index, { line, name }] of needed.entries()) {
      // One that is there and empty is as good as none.
      const without = LINES.replace(line, index % 2 === 0 ? '' : `${name}=`);
      await expect(composed(without), name).rejects.toThrow('run npm run secrets first');
    }
  });

  test('carries no secret itself: two environments have none in common', async () => {
    const other = environmentFile({ publicUrl: 'https://tidemark.example.com' });
    const secrets = [...LINES.matchAll(/^[A-Z_]+=([0-9a-f]{64})$/gm)].map(([, secret = '']) => secret);
    const text = JSON.stringify(await composed(other));
    expect(new Set(secrets).size).toBe(5);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test('speaks TLS with the second file', async () => {
    const files = ['docker-compose.yml', 'deploy/compose.tls.yml'];
    await expect(composed(LINES, files)).rejects.toThrow('fullchain.pem');
    const { services } = await composed(LINES, files, { TIDEMARK_TLS_DIR: '/etc/tidemark/tls' });
    expect(services.nginx.volumes).toContain('/etc/tidemark/tls:/etc/nginx/tls:ro');
  });
});

describe('npm run secrets', () => {
  test('writes a file for its owner alone, and never over another', async () => {
    const file = join(await folderForTest(), '.env');
    const args = [SECRETS, '--public-url', 'https://tidemark.example.com', '--out', file];
    await run(process.execPath, args);
    const first = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(first).toContain('TIDEMARK_PUBLIC_URL=https://tidemark.example.com\n');
    await expect(run(process.execPath, args)).rejects.toThrow('it stays as it is');
    expect(await readFile(file, 'utf8')).toBe(first);
  });

  test.each([[[]], [['--public-url', 'tidemark']], [['--public-url', 'https://a$b']], [['--unknown']]])(
    'refuses %o',
    async (args) => {
      await expect(run(process.execPath, [SECRETS, ...args])).rejects.toThrow('Try: npm run secrets');
    },
  );
});
