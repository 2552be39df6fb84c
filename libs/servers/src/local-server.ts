import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, requireFree } from './free-port.js';
import { type Exit, Process, type ProcessOptions } from './process.js';
import { RotatingLog } from './rotating-log.js';

/** Place is where a server lives: its folder and its port of 127.0.0.1. */
export interface Place {
  readonly folder: string;
  readonly port: number;
}

/** ServerKind is how one kind of server is run. */
export interface ServerKind {
  readonly name: string;
  /** prepare makes a folder ready, new or of an earlier life. */
  readonly prepare?: (place: Place) => Promise<void>;
  readonly command: (place: Place) => ProcessOptions;
  /** isReady answers whether it takes requests; one that throws does not, yet. */
  readonly isReady: (place: Place) => Promise<boolean>;
  readonly url: (place: Place) => string;
  /** isPassing tells from what it wrote whether it ended for a reason that soon is none any more, so that it is started again. */
  readonly isPassing?: (output: string) => boolean;
  /** The signal that ends it in an orderly way; SIGTERM when absent. */
  readonly stopSignal?: NodeJS.Signals;
}

/** ServerOptions say where a server lives: without a folder in a temporary one that goes with it, without a port on a free one. */
export interface ServerOptions {
  readonly folder?: string;
  readonly port?: number;
  /** A file that all it writes is kept in, within bounds (RotatingLog); nothing is kept when absent. */
  readonly log?: string;
}

const READY_MS = 30_000;

/** LocalServer is a real server of this machine, on a port and data of its own, that can be killed, paused and started again. */
export class LocalServer {
  private current: Process | null = null;
  private past = '';
  private log: RotatingLog | null = null;

  private constructor(
    readonly kind: ServerKind,
    readonly place: Place,
    private readonly isTemporary: boolean,
    private readonly logFile: string | undefined,
  ) {}

  /** start makes a server of a kind and answers when it takes requests. */
  static async start(kind: ServerKind, { folder, port, log }: ServerOptions = {}): Promise<LocalServer> {
    const place = {
      folder: folder ?? (await mkdtemp(join(tmpdir(), `tidemark-${kind.name.toLowerCase()}-`))),
      port: port ?? (await freePort()),
    };
    const server = new LocalServer(kind, place, folder === undefined, log);
    try {
      // Else whoever has it would answer in the place of the server that could not listen.
      if (port !== undefined) await requireFree(port);
      await mkdir(place.folder, { recursive: true });
      await kind.prepare?.(place);
      await server.start();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  get url(): string {
    return this.kind.url(this.place);
  }

  /** isRunning tells whether there is a program to be ended. */
  get isRunning(): boolean {
    return this.current !== null;
  }

  /** output is what it wrote in all its lives, the last million characters of each. */
  get output(): string {
    return this.past + (this.current?.output ?? '');
  }

  /** process is the program that runs now. */
  get process(): Process {
    if (!this.current) throw new Error(`${this.kind.name} does not run`);
    return this.current;
  }

  /** start runs the server again over its data, after it was stopped or killed. */
  async start(): Promise<void> {
    if (this.logFile !== undefined) this.log ??= RotatingLog.open(this.logFile);
    let started = this.run();
    const endMs = performance.now() + READY_MS;
    for (;;) {
      if (started.hasExited) {
        if (!this.kind.isPassing?.(started.output))
          throw new Error(`${this.kind.name} ended at once: ${started.output}`);
        this.past += started.output;
        started = this.run();
      }
      if (await this.kind.isReady(this.place).catch(() => false)) return;
      if (performance.now() > endMs) throw new Error(`${this.kind.name} is not ready: ${started.output}`);
      await pause(25);
    }
  }

  /** pause stops it in the middle of whatever it does, its connections open: a server that hangs. */
  pause(): void {
    this.process.signal('SIGSTOP');
  }

  /** resume lets it go on. */
  resume(): void {
    this.process.signal('SIGCONT');
  }

  /** kill ends it as a crash does. */
  kill(): Promise<Exit> {
    return this.end('SIGKILL');
  }

  /** stop ends it in an orderly way. */
  stop(): Promise<Exit> {
    return this.end(this.kind.stopSignal ?? 'SIGTERM');
  }

  /** close ends it; a temporary folder goes with it. */
  async close(): Promise<void> {
    if (this.current) await (this.isTemporary ? this.kill() : this.stop());
    this.log?.close();
    if (this.isTemporary) await rm(this.place.folder, { recursive: true, force: true });
  }

  private run(): Process {
    return (this.current = Process.start(this.kind.command(this.place), (text) => this.log?.add(text)));
  }

  private async end(signal: NodeJS.Signals): Promise<Exit> {
    const exit = await this.process.end(signal);
    this.past += this.process.output;
    this.current = null;
    return exit;
  }
}
