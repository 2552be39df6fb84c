import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderNginx, upstreamServers } from '#nginx';
import { LocalServer, startInfluxDb, startNginx, startPostgres, startRedis } from '@tidemark/servers';
import { apiKind, type Variables, workerKind } from './programs.js';

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
  private constructor(
    readonly postgres: LocalServer,
    readonly redis: LocalServer,
    readonly influxdb: LocalServer,
    readonly apis: readonly LocalServer[],
    readonly workers: readonly LocalServer[],
    readonly nginx: LocalServer,
    readonly env: Variables,
  ) {}

  /** start starts everything on free ports, over the data that an earlier stack left in the folder. */
  static async start(options: StackOptions): Promise<Stack> {
    const { folder, apis, workers, port, env = {}, apiNodeArgs = [], say = ignore, signal } = options;
    const started: LocalServer[] = [];
    async function begin(name: string, start: () => Promise<LocalServer>): Promise<LocalServer> {
      signal?.throwIfAborted();
      say(`starting ${name}`);
      const server = await start();
      started.push(server);
      signal?.throwIfAborted();
      return server;
    }
    try {
      await mkdir(folder, { recursive: true });
      // Started by root, PostgreSQL runs as another user, who must get through to its own folder below.
      await chmod(folder, 0o711);
      const at = (name: string) => join(folder, name);
      const postgres = await begin('PostgreSQL', () => startPostgres({ folder: at('postgres') }));
      const redis = await begin('Redis', () => startRedis({ folder: at('redis') }));
      const influxdb = await begin('InfluxDB', () => startInfluxDb({ folder: at('influxdb') }));
      const all: Variables = {
        DATABASE_URL: postgres.url,
        REDIS_URL: redis.url,
        INFLUXDB_URL: influxdb.url,
        TIDEMARK_SECRET: await secretOf(folder),
        ...env,
      };
      const instances: LocalServer[] = [];
      for (const name of numbered('api', apis)) {
        instances.push(
          await begin(name, () => LocalServer.start(apiKind(name, all, apiNodeArgs), { folder: at(name) })),
        );
      }
      const takers: LocalServer[] = [];
      for (const name of numbered('worker', workers)) {
        takers.push(await begin(name, () => LocalServer.start(workerKind(name, all), { folder: at(name) })));
      }
      const upstream = upstreamServers(instances.map((api) => new URL(api.url).host));
      const nginx = await begin('nginx', () =>
        startNginx({
          folder: at('nginx'),
          ...(port === undefined ? {} : { port }),
          configuration: (place) =>
            renderNginx({
              NGINX_RUN_DIR: place.folder,
              NGINX_LISTEN: `listen 127.0.0.1:${place.port};`,
              NGINX_ACCESS_LOG: '/dev/null',
              NGINX_UPSTREAM: upstream,
              NGINX_METRICS_ALLOW: 'allow 127.0.0.1;',
            }),
        }),
      );
      return new Stack(postgres, redis, influxdb, instances, takers, nginx, all);
    } catch (error) {
      for (const server of started.toReversed()) await server.close();
      throw error;
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

  /** close ends everything, last started first. */
  async close(): Promise<void> {
    for (const server of this.servers.toReversed()) await server.close();
  }
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

function ignore(): void {
  // nobody listens
}
