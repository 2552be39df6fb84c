import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ChildProcess } from './child-process.js';
import { readUsage, type Usage } from './usage.js';

/** ApiOptions are how the API server is started for a measurement. */
export interface ApiOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** profileDir is where a processor profile of each thread is written at the end; none when absent. */
  readonly profileDir?: string | null;
}

const READY_MS = 60_000;
const API = fileURLToPath(new URL('../../../apps/api/dist/main.js', import.meta.url));
const BARE = fileURLToPath(new URL('./peers/bare-server.js', import.meta.url));

/** ServerProcess is a server in a process of its own, on a free port of 127.0.0.1. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** startMs is the time from the start of the process to when it answered `GET /readyz` with 200. */
    readonly startMs: number,
  ) {}

  /** startApi starts the built API server and resolves when it is ready. */
  static startApi({ dataDir, env, profileDir }: ApiOptions): Promise<ServerProcess> {
    const nodeArgs = [...nodeFlags(), ...(profileDir ? profileFlags(profileDir) : [])];
    return ServerProcess.#start(API, '/readyz', nodeArgs, {
      API_PORT: '0',
      TIDEMARK_DATA_DIR: dataDir,
      ...env,
    });
  }

  /** startBare starts the framework alone: it parses and answers, and does nothing else. */
  static startBare(): Promise<ServerProcess> {
    return ServerProcess.#start(BARE, '/readyz', nodeFlags(), {});
  }

  static async #start(
    file: string,
    probe: string,
    nodeArgs: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<ServerProcess> {
    const beginMs = performance.now();
    let deadline: NodeJS.Timeout | undefined;
    const said = new EventEmitter<{ url: [string] }>();
    const child = ChildProcess.spawn({
      file,
      nodeArgs,
      env,
      onLine: (line) => readUrl(line, (url) => said.emit('url', url)),
    });
    try {
      const base = await new Promise<string>((resolve, reject) => {
        said.once('url', resolve);
        deadline = setTimeout(() => reject(new Error(`${file} was not ready in time`)), READY_MS);
        void child.ended.then((end) => reject(new Error(`${file} ended (${end}) ${child.output}`)));
      });
      const answer = await fetch(`${base}${probe}`);
      if (answer.status !== 200) throw new Error(`${probe} answered ${answer.status}`);
      await answer.arrayBuffer();
      return new ServerProcess(child, base, performance.now() - beginMs);
    } catch (error) {
      await child.stop('SIGKILL');
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** usage is what the process takes now. */
  usage(): Usage {
    return readUsage(this.child.pid);
  }

  /** pause stops the process where it is, so that it takes nothing from another that is measured; resume undoes it. */
  pause(): void {
    this.child.signal('SIGSTOP');
  }

  resume(): void {
    this.child.signal('SIGCONT');
  }

  /** stop ends the server as an operator does. */
  stop(): Promise<void> {
    this.resume();
    return this.child.stop('SIGTERM');
  }
}

/** profileFlags make Node write a processor profile of each thread to a folder when it ends. */
export function profileFlags(folder: string): string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

/** The server says where it listens in a line of JSON. */
function readUrl(line: string, found: (url: string) => void): void {
  if (!line.startsWith('{')) return;
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== 'object' || entry === null || !('url' in entry) || typeof entry.url !== 'string') return;
  if ('msg' in entry && entry.msg === 'tidemark is ready') found(entry.url);
}

/** Both servers run with the flags that `npm start` gives the API. */
function nodeFlags(): string[] {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../../apps/api/package.json', import.meta.url), 'utf8'),
  );
  const config: unknown = isRecord(manifest) ? manifest['config'] : null;
  const flags: unknown = isRecord(config) ? config['nodeFlags'] : null;
  return typeof flags === 'string' ? flags.split(' ') : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
