import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.js';
import { LocalServer, type ServerKind } from './local-server.js';
import { requireProgram } from './programs.js';
import { startRedis } from './redis.js';

const run = promisify(execFile);
const READY_MS = 30_000;

/** RedisGroup is several Redis servers that work as one, and the URL by which a client finds them. */
export interface RedisGroup {
  readonly url: string;
  /** For a Cluster its nodes; behind Sentinel the first master, then its replica. */
  readonly servers: readonly LocalServer[];
  close(): Promise<void>;
}

/** startRedisCluster starts a Cluster of three masters without replicas. */
export async function startRedisCluster(): Promise<RedisGroup> {
  const started: LocalServer[] = [];
  try {
    const busPorts = await Promise.all([freePort(), freePort(), freePort()]);
    for (const bus of busPorts) started.push(await startRedis({ args: clusterArgs(bus) }));
    const [first, ...others] = started;
    if (!first) throw new Error('a cluster has nodes');
    for (const [index, { place }] of started.entries()) {
      const from = Math.ceil((index * 16_384) / 3);
      const to = Math.ceil(((index + 1) * 16_384) / 3) - 1;
      await cli(place.port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
      await cli(place.port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }
    for (const [index, { place }] of others.entries()) {
      await cli(first.place.port, 'CLUSTER', 'MEET', '127.0.0.1', String(place.port), String(busPorts[index + 1]));
    }
    await eventually('a cluster that is whole', async () => {
      const infos = await Promise.all(started.map(({ place }) => cli(place.port, 'CLUSTER', 'INFO')));
      return infos.every((info) => /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info));
    });
    const hosts = started.map(({ place }) => `127.0.0.1:${place.port}`).join(',');
    return { url: `redis+cluster://${hosts}`, servers: started, close: () => closeAll(started) };
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

/** startRedisSentinel starts a master, its replica and a sentinel that puts the replica in its place within seconds. */
export async function startRedisSentinel(): Promise<RedisGroup> {
  const started: LocalServer[] = [];
  try {
    const master = await startRedis();
    started.push(master);
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.place.port)] });
    started.push(replica);
    const sentinel = await LocalServer.start(sentinelKind(master));
    started.push(sentinel);
    await eventually('a sentinel that knows the replica', async () => {
      const text = await cli(sentinel.place.port, 'SENTINEL', 'REPLICAS', 'tidemark');
      return text.includes(String(replica.place.port)) && text.includes('master-link-status\nok');
    });
    const url = `redis+sentinel://127.0.0.1:${sentinel.place.port}/tidemark`;
    return { url, servers: [master, replica], close: () => closeAll(started) };
  } catch (error) {
    await closeAll(started);
    throw error;
  }
}

function clusterArgs(busPort: number): string[] {
  return ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000'];
}

function sentinelKind(master: LocalServer): ServerKind {
  const fileOf = (folder: string): string => join(folder, 'sentinel.conf');
  return {
    name: 'Sentinel',
    prepare: async ({ folder, port }) => {
      const lines = [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir "${folder}"`,
        `sentinel monitor tidemark 127.0.0.1 ${master.place.port} 1`,
        'sentinel down-after-milliseconds tidemark 3000',
        'sentinel failover-timeout tidemark 3000',
      ];
      await writeFile(fileOf(folder), `${lines.join('\n')}\n`);
    },
    command: ({ folder }) => ({ command: requireProgram('redis-server'), args: [fileOf(folder), '--sentinel'] }),
    isReady: async ({ port }) => (await cli(port, 'PING')).includes('PONG'),
    url: ({ port }) => `redis://127.0.0.1:${port}`,
  };
}

async function cli(port: number, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...args], { timeout: 5000 });
  return stdout;
}

async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + READY_MS;
  while (!(await condition().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`waited ${READY_MS} ms in vain for ${what}`);
    await pause(50);
  }
}

async function closeAll(servers: readonly LocalServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()));
}
