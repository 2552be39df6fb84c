import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';

/** Exit is how a process ended: its code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** ProcessOptions are a command and what is added to the environment. */
export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Process is a program that a test started, and that it ends by its id. */
export class Process {
  readonly exited: Promise<Exit>;
  private text = '';

  private constructor(private readonly child: ChildProcess) {
    running.add(child);
    this.exited = once(child, 'exit').then(
      () => ({ code: child.exitCode, signal: child.signalCode }),
      (error: unknown) => {
        throw new Error('the program could not be started', { cause: error });
      },
    );
    this.exited.then(
      () => running.delete(child),
      () => running.delete(child),
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    }
  }

  /** start starts a program; what is set in this environment for a Tidemark of the machine is kept from it. */
  static start({ command, args, env = {} }: ProcessOptions): Process {
    return new Process(
      spawn(command, [...args], { env: { ...cleanEnvironment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program did not start');
    return this.child.pid;
  }

  /** output is everything written so far, to both standard output and standard error. */
  get output(): string {
    return this.text;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** signal sends a signal and does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** end sends a signal and answers how the program ended. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    if (!this.hasExited) this.child.kill(signal);
    return this.exited;
  }

  /** residentBytes is the memory that the program has in RAM now. */
  residentBytes(): number {
    return this.status('VmRSS');
  }

  /** forgetPeak makes peakBytes count from now on. */
  forgetPeak(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  /** peakBytes is the most memory the program had in RAM. */
  peakBytes(): number {
    return this.status('VmHWM');
  }

  private status(name: string): number {
    const line = readFileSync(`/proc/${this.pid}/status`, 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    return Number(/\d+/.exec(line ?? '')?.[0] ?? NaN) * 1024;
  }
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(TIDEMARK_|API_|INFLUXDB_|REDIS_URL$|DATABASE_URL$|SMTP_URL$|LOG_LEVEL$|NODE_OPTIONS$|VITEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
