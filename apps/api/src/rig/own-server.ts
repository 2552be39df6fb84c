import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { readConfig } from '../config.js';
import { type Server, startServer } from '../server.js';
import { ManualClock } from './manual-clock.js';

/** OwnServer is the whole platform on a free port and a folder of its own, whose wall clock a test moves. */
export class OwnServer {
  private constructor(
    private readonly server: Server,
    private readonly folder: string,
    readonly clock: ManualClock,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-api-'));
    const outcome = readConfig({ API_PORT: '0', LOG_LEVEL: 'silent', TIDEMARK_DATA_DIR: folder, ...env });
    if (!outcome.ok) throw new Error(outcome.faults.join('\n'));
    const clock = new ManualClock();
    const fatal = (error: Error) => {
      throw error;
    };
    const log = pino({ level: 'silent' });
    const server = await startServer({ config: outcome.config, version: '0.0.0', log, clock, fatal });
    return new OwnServer(server, folder, clock);
  }

  get url(): string {
    return this.server.url;
  }

  /** ask sends a request; what is no text is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const isPlain = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    return fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: isPlain ? (body as BodyInit) : JSON.stringify(body) }),
    });
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await rm(this.folder, { recursive: true });
  }
}
