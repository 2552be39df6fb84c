import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, type ClientOptions } from './client.js';
import type { KeyRequest, Platform, PlatformOptions, Profile } from './platform.js';
import { type Exit, Process } from '@tidemark/servers';
import { waitFor } from './wait-for.js';

const MAIN = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
const KEYS = fileURLToPath(new URL('../../apps/api/dist/keys.js', import.meta.url));
const READY_MS = 30_000;

/** EMBEDDED is everything in one process, with files of its own. */
export const EMBEDDED: Profile = {
  name: 'embedded',
  open: async (options = {}) => {
    const isOurs = options.dataDir === undefined;
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'tidemark-system-')));
    const platform = new EmbeddedPlatform(dataDir, isOurs, options);
    try {
      for (const request of options.keys ?? []) platform.keys.push(await platform.createKey(request));
      await platform.start();
      return platform;
    } catch (error) {
      await platform.close();
      throw error;
    }
  },
};

class EmbeddedPlatform implements Platform {
  readonly keys: string[] = [];
  startMs = 0;
  url = '';
  private current: Process | null = null;
  private readonly clients: Client[] = [];
  private past = '';

  constructor(
    readonly dataDir: string,
    private readonly isOurs: boolean,
    private readonly options: PlatformOptions,
  ) {}

  get instances(): readonly string[] {
    return [this.url];
  }

  get process(): Process {
    if (!this.current) throw new Error('the platform does not run');
    return this.current;
  }

  get processes(): readonly Process[] {
    return [this.process];
  }

  get output(): string {
    return this.past + (this.current?.output ?? '');
  }

  client(options: Omit<ClientOptions, 'url'> = {}): Client {
    const client = new Client({ ...options, url: () => this.url });
    this.clients.push(client);
    return client;
  }

  clientOf(_instance: string, key?: string): Client {
    return this.client(key === undefined ? {} : { key });
  }

  async createKey({ project = 'default', scopes = ['read', 'write', 'admin'], name = 'test' }: KeyRequest = {}) {
    const args = [KEYS, 'create', '--project', project, '--scopes', scopes.join(','), '--name', name];
    const command = Process.start({ command: process.execPath, args, env: this.environment({}) });
    const { code } = await command.exited;
    const key = /^tm_\S+$/m.exec(command.output)?.[0];
    if (code !== 0 || key === undefined) throw new Error(`no key was made: ${command.output}`);
    // Another process made it: the platform finds out within seconds, first that keys count, then about this one.
    if (this.current) await waitFor('the key to count', () => this.knows(key));
    return key;
  }

  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const beginMs = performance.now();
    const all = this.environment({ API_PORT: port, ...env });
    const started = Process.start({ command: process.execPath, args: [MAIN], env: all });
    this.current = started;
    const ended = started.exited.then(() => Promise.reject(new Error(`the platform ended: ${started.output}`)));
    this.url = await Promise.race([waitFor('the platform to listen', () => listeningAt(started), READY_MS), ended]);
    const asking = this.client();
    await waitFor('the platform to be ready', async () => (await asking.get('/readyz')).status === 200, READY_MS);
    this.startMs = performance.now() - beginMs;
  }

  async stop(): Promise<Exit> {
    return this.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async close(): Promise<void> {
    // One that was paused, or that was left to itself, goes without being asked: its data go with it.
    if (this.current) await this.kill();
    if (this.isOurs) await rm(this.dataDir, { recursive: true, force: true });
  }

  private async knows(key: string): Promise<boolean> {
    const [without, withKey] = await Promise.all([this.client().get('models'), this.client({ key }).get('models')]);
    return without.status === 401 && withKey.status !== 401;
  }

  private async end(signal: NodeJS.Signals): Promise<Exit> {
    const exit = await this.process.end(signal);
    this.past += this.process.output;
    this.current = null;
    for (const client of this.clients) client.close();
    return exit;
  }

  private environment(env: Readonly<Record<string, string>>): Record<string, string> {
    return { TIDEMARK_DATA_DIR: this.dataDir, TIDEMARK_ALLOWED_TARGETS: '127.0.0.1', ...this.options.env, ...env };
  }
}

/** The log says where it listens, in a line of JSON. */
function listeningAt(started: Process): string | null {
  const line = started.output.split('\n').find((entry) => entry.includes('"msg":"tidemark is ready"'));
  return line === undefined ? null : String(JSON.parse(line).url);
}
