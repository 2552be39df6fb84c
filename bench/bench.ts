import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Load } from './load.js';
import { ProductionStack } from './production/production-stack.js';
import { type ApiOptions, profileFlags, ServerProcess } from './server-process.js';

/** StackSize is how many instances of each program a stack has, and what they are set by. */
export interface StackSize {
  readonly apis: number;
  readonly workers: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** BenchOptions: `quick` shortens everything; `profileDir` asks for processor profiles; `workDir` holds what is stored. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly profileDir: string | null;
  readonly workDir: string;
  readonly say: (line: string) => void;
}

/** Bench is what figures are measured with: a place, a load, and servers. */
export class Bench {
  readonly quick: boolean;
  /** say tells a person what is going on, in one line. */
  readonly say: (line: string) => void;
  readonly load: Load;

  private constructor(private readonly options: BenchOptions) {
    this.quick = options.quick;
    this.say = options.say;
    this.load = Load.start();
  }

  /** open makes the place and starts the process that makes the load. */
  static open(options: BenchOptions): Bench {
    mkdirSync(options.workDir, { recursive: true });
    return new Bench(options);
  }

  /** newDataDir is an empty folder for a server's data, on the disk that the project is on. */
  newDataDir(): string {
    return mkdtempSync(join(this.options.workDir, 'data-'));
  }

  /** startApi starts the API server, on data of its own unless told where. */
  startApi(options: Partial<ApiOptions> = {}): Promise<ServerProcess> {
    return ServerProcess.startApi({ dataDir: this.newDataDir(), profileDir: this.options.profileDir, ...options });
  }

  /** withApi lets `work` use a fresh API server, and stops it. */
  async withApi<T>(work: (api: ServerProcess) => Promise<T>, options: Partial<ApiOptions> = {}): Promise<T> {
    const api = await this.startApi(options);
    try {
      return await work(api);
    } finally {
      await api.stop();
    }
  }

  /** withStack lets `work` use a fresh stack of real servers, and ends it. */
  async withStack<T>(size: StackSize, work: (stack: ProductionStack) => Promise<T>): Promise<T> {
    const { profileDir } = this.options;
    const apiNodeArgs = profileDir === null ? [] : profileFlags(profileDir);
    const stack = await ProductionStack.start({ folder: this.newDataDir(), apiNodeArgs, ...size });
    try {
      return await work(stack);
    } finally {
      await stack.close();
    }
  }

  /** close ends the load and removes everything that was stored. */
  async close(): Promise<void> {
    await this.load.stop();
    rmSync(this.options.workDir, { recursive: true, force: true });
  }
}
