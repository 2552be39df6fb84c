import { type ChildProcess as Child, fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const STOP_MS = 15_000;
const MAX_OUTPUT_CHARS = 8192;
const running = new Set<Child>();

/** SpawnOptions are how a Node program is started: `env` is added to the environment, `nodeArgs` go before the file. */
export interface SpawnOptions {
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArgs?: readonly string[];
  /** onLine hears each line of the program's standard output. */
  readonly onLine?: (line: string) => void;
}

/** ChildProcess is a program that the bench started and must end. */
export class ChildProcess {
  readonly #ended: Promise<string>;
  #tail = '';

  private constructor(private readonly child: Child) {
    running.add(child);
    this.#ended = new Promise((resolve) => {
      const end = (reason: string): void => {
        running.delete(child);
        resolve(reason);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) => end(String(signal ?? code)));
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#tail = (this.#tail + text).slice(-MAX_OUTPUT_CHARS);
    });
  }

  /** fork starts a part of the bench that answers messages; see ask. */
  static fork(url: URL): ChildProcess {
    return new ChildProcess(fork(fileURLToPath(url), { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }));
  }

  /** spawn starts a Node program. */
  static spawn({ file, env = {}, nodeArgs = [], onLine }: SpawnOptions): ChildProcess {
    const child = spawn(process.execPath, [...nodeArgs, file], {
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
    return new ChildProcess(child);
  }

  /** pid is 0 when the program could not be started. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** ended resolves to the exit code or signal. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** output is the last of what the program wrote to its standard error. */
  get output(): string {
    return this.#tail.trim();
  }

  /** ask sends a message to a forked part of the bench and resolves to the `result` of its answer. */
  async ask(message: object): Promise<unknown> {
    const answer = new Promise<unknown>((resolve) => this.child.once('message', resolve));
    this.child.send(message);
    const end = this.#ended.then((reason) => ({ fault: `it ended (${reason}) ${this.output}` }));
    const said = await Promise.race([answer, end]);
    if (typeof said === 'object' && said !== null && 'result' in said) return said.result;
    const fault = typeof said === 'object' && said !== null && 'fault' in said ? String(said.fault) : 'no result';
    throw new Error(`a part of the bench failed: ${fault}`);
  }

  /** signal sends a signal, without waiting for what comes of it. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** stop ends the program with a signal, and with force when that takes longer than 15 s. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const force = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    this.child.kill(signal);
    await this.#ended;
    clearTimeout(force);
  }

  /** killAll ends, at once, whatever was started and still runs. */
  static killAll(): void {
    for (const child of running) child.kill('SIGKILL');
  }
}

/** What is set for a Tidemark of this machine must not change what is measured. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(TIDEMARK_|API_|SMTP_URL$|LOG_LEVEL$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
