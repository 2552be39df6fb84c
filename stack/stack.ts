import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderNginx, upstreamServers } from '#nginx';
import {
  closeServers,
  LocalServer,
  type ServerKind,
  startInfluxDb,
  startNginx,
  startPostgres,
  startRedis,
} from '@tidemark/servers';
import { apiKind, type Variables, workerKind } from './programs.js';
import { Starting } from './starting.js';

/** StackOptions are the size of a stack, where its data are, and what its programs are set by besides. */
export interface StackOptions {
  readonly folder: string;
  readonly apis: number;
  readonly workers: number;
  readonly port?: number;
  readonly env?: Variables;
  /** What Node is given with each instance of the API, besides the flags of its package. */
  readonly apiNodeArgs?: readonly string[];
  /** say is told of each step. */
  readonly say?: (step: string) => void;
  /** What ends the start: it then ends what has begun, last started first, and rejects. */
  readonly signal?: AbortSignal;
}

/** Stack is Tidemark as production runs it, from the servers that are installed on this machine. */
export class Stack {
  readonly postgres: LocalServer;
  readonly redis: LocalServer;
  readonly influxdb: LocalServer;

  private constructor(
    { postgres, redis, influxdb }: Servers,
    readonly apis: readonly LocalServer[],
    readonly workers: readonly LocalServer[],
    readonly nginx: LocalServer,
    readonly env: Variables,
  ) {
    this.postgres = postgres;
    this.redis = redis;
    this.influxdb = influxdb;
  }

  /** start starts everything on free ports, over the data that an earlier stack left in the folder. */
  static async start(options: StackOptions): Promise<Stack> {
    const { folder, apis, workers, env = {}, apiNodeArgs = [] } = options;
    const starting = new Starting(options);
    try {
      await mkdir(folder, { recursive: true });
      // Started by root, PostgreSQL runs as another user, who must get through to its own folder below.
      await chmod(folder, 0o711);
      const servers = await startServers(starting, folder);
      const all: Variables = {
        DATABASE_URL: servers.postgres.url,
        REDIS_URL: servers.redis.url,
        INFLUXDB_URL: servers.influxdb.url,
        TIDEMARK_SECRET: await secretOf(folder),
        ...env,
      };
      const program = (kind: ServerKind) =>
        starting.begin(kind.name, () => LocalServer.start(kind, at(folder, kind.name)));
      const instances: LocalServer[] = [];
      for (const name of numbered('api', apis)) instances.push(await program(apiKind(name, all, apiNodeArgs)));
      const takers: LocalServer[] = [];
      for (const name of numbered('worker', workers)) takers.push(await program(workerKind(name, all)));
      const nginx = await starting.begin('nginx', () => startFront(options, instances));
      return new Stack(servers, instances, takers, nginx, all);
    } catch (error) {
      throw await starting.undo(error);
    }
  }

  /** url is where it is reached, through nginx. */
  get url(): string {
    return this.nginx.url;
  }

  /** servers are all of it, in the order in which they started. */
  get servers(): readonly LocalServer[] {
    return [this.postgres, this.redis, this.influxdb, ...this.apis, ...this.workers, this.nginx];
  }

  /** close ends everything, last started first; what cannot be ended is named in what it rejects with, and keeps nothing else. */
  async close(): Promise<void> {
    await closeServers(this.servers);
  }
}

interface Servers {
  readonly postgres: LocalServer;
  readonly redis: LocalServer;
  readonly influxdb: LocalServer;
}

async function startServers(starting: Starting, folder: string): Promise<Servers> {
  const postgres = await starting.begin('PostgreSQL', () => startPostgres(at(folder, 'postgres')));
  const redis = await starting.begin('Redis', () => startRedis(at(folder, 'redis')));
  const influxdb = await starting.begin('InfluxDB', () => startInfluxDb(at(folder, 'influxdb')));
  return { postgres, redis, influxdb };
}

function startFront({ folder, port }: StackOptions, instances: readonly LocalServer[]): Promise<LocalServer> {
  const upstream = upstreamServers(instances.map((api) => new URL(api.url).host));
  return startNginx({
    ...at(folder, 'nginx'),
    ...(port === undefined ? {} : { port }),
    configuration: (place) =>
      renderNginx({
        NGINX_RUN_DIR: place.folder,
        NGINX_LISTEN: `listen 127.0.0.1:${place.port};`,
        NGINX_ACCESS_LOG: '/dev/null',
        NGINX_UPSTREAM: upstream,
        NGINX_METRICS_ALLOW: 'allow 127.0.0.1;',
      }),
  });
}

/** Where a part of the stack lives, and what it writes is kept. */
function at(folder: string, name: string): { readonly folder: string; readonly log: string } {
  return { folder: join(folder, name), log: join(folder, name, `${name}.log`) };
}

/** The secret that seals the channels' secrets is made once for a folder. */
async function secretOf(folder: string): Promise<string> {
  const file = join(folder, 'secret');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    // A secret that cannot be read is not replaced: what it sealed could not be opened any more.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const secret = randomBytes(32).toString('hex');
    await writeFile(file, `${secret}\n`, { mode: 0o600 });
    return secret;
  }
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}`);
}
