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
  /** The user and group to run as; this process's own when absent. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A program that writes for days must not fill the memory of who started it: the newest characters are kept. */
const MAX_OUTPUT_CHARS = 1_000_000;

const running = new Set<ChildProcess>();
let isGuarded = false;

/**
 * What was started must not be left behind. A signal that nobody else handles here ends this process without 'exit'.
 * The first start installs this: who only imports the module handles signals as before.
 */
function leaveNothingBehind(): void {
  if (isGuarded) return;
  isGuarded = true;
  process.on('exit', killAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.prependListener(signal, function last() {
      if (process.listenerCount(signal) > 1) return;
      killAll();
      process.removeListener(signal, last);
      process.kill(process.pid, signal);
    });
  }
}

/** The whole group goes: nginx's workers would outlive its master. */
function killAll(): void {
  for (const { pid } of running) if (pid !== undefined) killGroup(pid);
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // it ended just now
  }
}

/** Process is a program that was started here, and that is ended by its id. */
export class Process {
  readonly exited: Promise<Exit>;
  private text = '';

  private constructor(
    private readonly child: ChildProcess,
    onOutput: (text: string) => void,
  ) {
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
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        onOutput(chunk);
        this.text += chunk;
        // Cut only at twice the bound, so that a chunk does not cost a copy of all that is kept.
        if (this.text.length > 2 * MAX_OUTPUT_CHARS) this.text = this.text.slice(-MAX_OUTPUT_CHARS);
      });
    }
  }

  /**
   * start starts a program; what is set in this environment for a Tidemark of the machine is kept from it. It leads a
   * process group of its own: Ctrl-C on a terminal signals a whole group, and would end everything at once, in no order.
   * `onOutput` hears of all that it writes, as it comes.
   */
  static start(
    { command, args, env = {}, ...user }: ProcessOptions,
    onOutput: (text: string) => void = ignore,
  ): Process {
    leaveNothingBehind();
    return new Process(
      spawn(command, [...args], {
        ...user,
        detached: true,
        env: { ...cleanEnvironment(), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
      onOutput,
    );
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program did not start');
    return this.child.pid;
  }

  /** output is what was written so far, to both standard output and standard error: the last million characters. */
  get output(): string {
    return this.text.slice(-MAX_OUTPUT_CHARS);
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** signal sends a signal and does not wait for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** end sends a signal and answers how the program ended. SIGKILL goes to its children, too: they could not end themselves. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    if (!this.hasExited) {
      if (signal === 'SIGKILL') killGroup(this.pid);
      else this.child.kill(signal);
    }
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

function ignore(): void {
  // nobody listens
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(TIDEMARK_|API_|INFLUXDB_|REDIS_URL$|DATABASE_URL$|SMTP_URL$|LOG_LEVEL$|NODE_OPTIONS$|VITEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
