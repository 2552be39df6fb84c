import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalServer, type Place, type ServerOptions } from './local-server.js';
import { requireProgram } from './programs.js';

/** NginxOptions are where it lives, its configuration, and a path that answers as soon as it runs. */
export interface NginxOptions extends ServerOptions {
  /** configuration writes nginx.conf for a place; `folder` is one that nginx may write to. */
  readonly configuration: (place: Place) => string;
}

/** startNginx starts Debian's nginx in the foreground, with a configuration of its own. */
export function startNginx({ configuration, ...options }: NginxOptions): Promise<LocalServer> {
  const file = ({ folder }: Place) => join(folder, 'nginx.conf');
  return LocalServer.start(
    {
      name: 'nginx',
      prepare: (place) => writeFile(file(place), configuration(place)),
      command: (place) => ({
        command: requireProgram('nginx'),
        args: ['-p', place.folder, '-c', file(place), '-e', 'stderr', '-g', 'daemon off;'],
      }),
      isReady: async ({ port }) => {
        await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) });
        return true;
      },
      url: ({ port }) => `http://127.0.0.1:${port}`,
      stopSignal: 'SIGQUIT',
    },
    options,
  );
}
