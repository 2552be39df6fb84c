import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { renderNginx, upstreamServers } from '../../nginx/render.mjs';
import { Client, type ClientOptions } from './client.js';
import { freePort, Process } from '@tidemark/servers';
import { commandFault } from './skip.js';
import { waitFor } from './wait-for.js';

const NGINX = '/usr/sbin/nginx';

/** NginxOptions are the instances behind it (URLs), and what differs from the defaults of the template. */
export interface NginxOptions {
  readonly instances: readonly string[];
  readonly values?: Readonly<Record<string, string>>;
  /** Files of a dashboard, by their paths. */
  readonly pages?: Readonly<Record<string, string>>;
  /** Directives for the server, as an installation adds them. */
  readonly extra?: string;
}

/** Nginx is the real nginx with the configuration of the project, for the test that runs now. */
export class Nginx {
  private readonly clients: Client[] = [];

  private constructor(
    readonly port: number,
    readonly folder: string,
    private readonly process: Process,
  ) {}

  /** fault is null where nginx can be run, else why not. */
  static fault(): Promise<string | null> {
    return commandFault(NGINX, ['-v']);
  }

  static async open({ instances, values = {}, pages = {}, extra = '' }: NginxOptions): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-nginx-'));
    const port = await freePort();
    await mkdir(join(folder, 'web/assets'), { recursive: true });
    for (const [path, text] of Object.entries(pages)) await writeFile(join(folder, 'web', path), text);
    await writeFile(join(folder, 'extra.conf'), extra);
    const config = renderNginx({
      NGINX_RUN_DIR: folder,
      NGINX_UPSTREAM: upstreamServers(instances.map((url) => new URL(url).host)),
      NGINX_LISTEN: `listen 127.0.0.1:${port};`,
      NGINX_WEB_ROOT: join(folder, 'web'),
      NGINX_SERVER_INCLUDE: join(folder, 'extra.conf'),
      NGINX_ACCESS_LOG: join(folder, 'access.log'),
      ...values,
    });
    await writeFile(join(folder, 'nginx.conf'), config);
    // One process: nothing is left behind when a test is ended hard.
    const args = ['-c', join(folder, 'nginx.conf'), '-g', 'daemon off; master_process off;'];
    const nginx = new Nginx(port, folder, Process.start({ command: NGINX, args }));
    onTestFinished(() => nginx.close());
    const ended = nginx.process.exited.then(() => Promise.reject(new Error(`nginx ended: ${nginx.process.output}`)));
    const asking = nginx.client();
    const answers = async (): Promise<boolean> => (await asking.get('/nginx/livez')).status === 200;
    await Promise.race([waitFor('nginx to answer', answers), ended]);
    ended.catch(() => undefined);
    return nginx;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  client(options: Omit<ClientOptions, 'url'> = {}): Client {
    const client = new Client({ ...options, url: () => this.url });
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await this.process.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}
