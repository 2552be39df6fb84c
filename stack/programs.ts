import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Place, ServerKind } from '@tidemark/servers';

/** Variables are what a program is set by. */
export type Variables = Readonly<Record<string, string>>;

/**
 * apiKind is an instance of the API: its spool is in its own folder, everything else in the servers that `env` names.
 * `nodeArgs` are given to Node besides those that the package names.
 */
export function apiKind(name: string, env: Variables, nodeArgs: readonly string[] = []): ServerKind {
  const environment = (place: Place): Variables => ({
    API_HOST: '127.0.0.1',
    API_PORT: String(place.port),
    TIDEMARK_DATA_DIR: place.folder,
    ...env,
  });
  return programKind(name, 'api', environment, nodeArgs);
}

/** workerKind is a worker that takes deliveries from the queue. */
export function workerKind(name: string, env: Variables): ServerKind {
  return programKind(name, 'worker', (place) => ({
    WORKER_HOST: '127.0.0.1',
    WORKER_PORT: String(place.port),
    ...env,
  }));
}

function programKind(
  name: string,
  program: 'api' | 'worker',
  environment: (place: Place) => Variables,
  nodeArgs: readonly string[] = [],
): ServerKind {
  const url = ({ port }: Place) => `http://127.0.0.1:${port}`;
  return {
    name,
    command: (place) => ({
      command: process.execPath,
      args: [...nodeFlags(program), ...nodeArgs, built(`apps/${program}/dist/main.js`)],
      env: environment(place),
    }),
    // Alive is enough to go on: ready also asks for every server behind it, which a test may have taken away.
    isReady: async (place) => (await fetch(`${url(place)}/livez`, { signal: AbortSignal.timeout(2000) })).ok,
    url,
  };
}

/** Both programs run with the flags that their packages name. */
function nodeFlags(program: 'api' | 'worker'): string[] {
  const manifest: unknown = JSON.parse(readFileSync(built(`apps/${program}/package.json`), 'utf8'));
  const flags: unknown =
    typeof manifest === 'object' && manifest !== null && 'config' in manifest && isRecord(manifest.config)
      ? manifest.config['nodeFlags']
      : null;
  return typeof flags === 'string' ? flags.split(' ') : [];
}

/** The same from the sources (tests), from dist (npm run stack) and from the dist of another folder (npm run bench). */
function built(path: string): string {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package-lock.json', folder))) folder = new URL('..', folder);
  return fileURLToPath(new URL(path, folder));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
