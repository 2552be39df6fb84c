import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Platform is a Tidemark of the demo's own: an empty one, in a temporary folder, on a free port. */
export interface Platform {
  readonly url: string;
  /** call sends a JSON request and answers the JSON body; it throws on any status of 400 or more. */
  call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>;
  close(): Promise<void>;
}

/** PlatformOptions name the mail server that the platform sends through. */
export interface PlatformOptions {
  readonly smtpUrl: string;
}

const START_TIMEOUT_MS = 30_000;

/** startPlatform starts the built platform as its own process and waits until it is ready. */
export async function startPlatform({ smtpUrl }: PlatformOptions): Promise<Platform> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tidemark-demo-'));
  const main = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      API_PORT: '0',
      TIDEMARK_DATA_DIR: dataDir,
      TIDEMARK_ALLOWED_TARGETS: '127.0.0.1',
      SMTP_URL: `${smtpUrl}?tls=off`,
      TIDEMARK_EMAIL_FROM: 'Tidemark <tidemark@demo.example>',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await readyUrl(child);
    return {
      url,
      call: (method, path, body) => call(`${url}${path}`, method, body),
      close: async () => {
        await end(child);
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await end(child);
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** The platform says where it is in a JSON line of its log. */
function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the platform did not start in time')), START_TIMEOUT_MS);
    child.once('exit', (code) => reject(new Error(`the platform ended with code ${code}`)));
    if (!child.stdout) return reject(new Error('the platform has no output'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /"url":"(http:[^"]+)".*"tidemark is ready"/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

async function call<T>(url: string, method: 'GET' | 'POST', body: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as T; // the demo's own platform answers by its contract
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}
