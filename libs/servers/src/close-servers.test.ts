import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { closeServers } from './close-servers.js';
import { LocalServer, type ServerKind } from './local-server.js';

function kindNamed(name: string): ServerKind {
  const url = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;
  const program = `require('node:http').createServer((_, answer) => answer.end()).listen(process.argv[1], '127.0.0.1')`;
  return {
    name,
    command: ({ port }) => ({ command: process.execPath, args: ['-e', program, String(port)] }),
    isReady: async (place) => (await fetch(url(place))).ok,
    url,
  };
}

/** A kind whose servers nobody knows how to end. */
function stubborn(name: string): ServerKind {
  return {
    ...kindNamed(name),
    get stopSignal(): NodeJS.Signals {
      throw new Error('no signal is known');
    },
  };
}

it('ends every server, also where some cannot be ended, and names those', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-servers-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const servers: LocalServer[] = [];
  for (const kind of [kindNamed('first'), stubborn('second'), kindNamed('third'), stubborn('fourth')]) {
    const server = await LocalServer.start(kind, { folder: join(folder, kind.name) });
    onTestFinished(async () => void (server.isRunning && (await server.kill())));
    servers.push(server);
  }
  await expect(closeServers(servers)).rejects.toThrow(
    'fourth could not be ended: no signal is known; second could not be ended: no signal is known',
  );
  expect(servers.filter(({ isRunning }) => isRunning).map(({ kind }) => kind.name)).toEqual(['second', 'fourth']);
});
