import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canRun, type Exit, Process } from '@tidemark/servers';
import { onTestFinished } from 'vitest';
import { Stack } from '../../stack/stack.js';
import { Client, type ClientOptions } from './client.js';
import type { KeyRequest, Platform, PlatformOptions, Profile } from './platform.js';
import { waitFor } from './wait-for.js';

const KEYS = fileURLToPath(new URL('../../apps/api/dist/keys.js', import.meta.url));
const READY_MS = 60_000;

/** CAN_RUN_PRODUCTION tells whether this machine has the servers that it takes. */
export const CAN_RUN_PRODUCTION = canRun('postgres', 'redis-server', 'influxd', 'nginx');

/** openProduction starts a stack for the test that runs now, which may get at each of its processes. */
export async function openProduction(options: PlatformOptions = {}): Promise<ProductionPlatform> {
  const platform = await ProductionPlatform.open(options);
  onTestFinished(() => platform.close());
  return platform;
}

/** PRODUCTION is nginx, two instances of the API and two workers on real servers, as `npm run stack` starts them. */
export const PRODUCTION: Profile = {
  name: 'production',
  open: async (options = {}) => ProductionPlatform.open(options),
};

/** ProductionPlatform is a stack that tests drive as they drive a single process. */
export class ProductionPlatform implements Platform {
  readonly keys: string[] = [];
  startMs = 0;
  private readonly clients: Client[] = [];

  private constructor(
    readonly stack: Stack,
    readonly dataDir: string,
    private readonly isOurs: boolean,
  ) {}

  static async open(options: PlatformOptions): Promise<ProductionPlatform> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tidemark-production-')));
    const beginMs = performance.now();
    const env = { TIDEMARK_ALLOWED_TARGETS: '127.0.0.1', ...options.env };
    const stack = await Stack.start({ folder: dataDir, apis: 2, workers: 2, env });
    const platform = new ProductionPlatform(stack, dataDir, options.dataDir === undefined);
    try {
      for (const request of options.keys ?? []) platform.keys.push(await platform.createKey(request));
      await platform.whenReady();
      platform.startMs = performance.now() - beginMs;
      return platform;
    } catch (error) {
      await platform.close();
      throw error;
    }
  }

  get instances(): readonly string[] {
    return this.stack.apis.map(({ url }) => url);
  }

  get url(): string {
    return this.stack.url;
  }

  /** The first instance of the API: one of those that answer. */
  get process(): Process {
    const [first] = this.stack.apis;
    if (!first) throw new Error('the stack has no API');
    return first.process;
  }

  get processes(): readonly Process[] {
    return this.stack.apis.map(({ process: program }) => program);
  }

  get output(): string {
    return [...this.stack.apis, ...this.stack.workers].map(({ output }) => output).join('');
  }

  client(options: Omit<ClientOptions, 'url'> = {}): Client {
    const client = new Client({ ...options, url: () => this.url });
    this.clients.push(client);
    return client;
  }

  clientOf(instance: string, key?: string): Client {
    const client = new Client({ url: () => instance, ...(key === undefined ? {} : { key }) });
    this.clients.push(client);
    return client;
  }

  async createKey({ project = 'default', scopes = ['read', 'write', 'admin'], name = 'test' }: KeyRequest = {}) {
    const args = [KEYS, 'create', '--project', project, '--scopes', scopes.join(','), '--name', name];
    const command = Process.start({ command: process.execPath, args, env: this.stack.env });
    const { code } = await command.exited;
    const key = /^tm_\S+$/m.exec(command.output)?.[0];
    if (code !== 0 || key === undefined) throw new Error(`no key was made: ${command.output}`);
    await waitFor('the key to count at every instance', () => this.knows(key));
    return key;
  }

  /** start starts the programs again that were ended; the servers behind them were left alone. */
  async start(): Promise<void> {
    const beginMs = performance.now();
    await Promise.all([...this.stack.apis, ...this.stack.workers].map((program) => program.start()));
    await this.whenReady();
    this.startMs = performance.now() - beginMs;
  }

  async stop(): Promise<Exit> {
    return this.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const server of this.stack.servers) if (server.isRunning) await server.kill();
    if (this.isOurs) await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Each instance, and nginx, which leaves out for seconds an instance that it found dead. */
  private async whenReady(): Promise<void> {
    for (const url of [...this.instances, this.url]) {
      await waitFor(`${url} to be ready`, async () => (await fetch(`${url}/readyz`)).ok, READY_MS);
    }
  }

  private async knows(key: string): Promise<boolean> {
    const asked = this.stack.apis.map(async ({ url }) => {
      const [without, withKey] = await Promise.all([
        fetch(`${url}/api/v1/models`),
        fetch(`${url}/api/v1/models`, { headers: { 'x-api-key': key } }),
      ]);
      return without.status === 401 && withKey.status !== 401;
    });
    return (await Promise.all(asked)).every(Boolean);
  }

  /** Ends the programs, both kinds at once; answers how the first instance ended, or one that ended otherwise than in order. */
  private async end(signal: NodeJS.Signals): Promise<Exit> {
    const exits = await Promise.all(
      [...this.stack.apis, ...this.stack.workers].map((program) =>
        signal === 'SIGKILL' ? program.kill() : program.stop(),
      ),
    );
    for (const client of this.clients) client.close();
    const told = exits.find(({ code }) => code !== 0) ?? exits[0];
    if (!told) throw new Error('the stack has no API');
    return told;
  }
}
