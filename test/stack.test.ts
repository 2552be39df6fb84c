import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort, LocalServer, missing, Process, type ServerKind } from '@tidemark/servers';
import { Stack } from '../stack/stack.js';
import { Starting } from '../stack/starting.js';
import { commandFault, skipUnless } from './rig/skip.js';
import { waitFor } from './rig/wait-for.js';

const STACK_MS = 90_000;
const absent = missing('postgres', 'redis-server', 'influxd', 'nginx');

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-stack-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe('the stack', () => {
  test('ends what has started when it is stopped while it starts', async (context) => {
    skipUnless(context, absent);
    const folder = await newFolder();
    const stop = new AbortController();
    const steps: string[] = [];
    const say = (step: string) => {
      steps.push(step);
      if (step === 'starting Redis') stop.abort();
    };
    await expect(Stack.start({ folder, apis: 1, workers: 1, say, signal: stop.signal })).rejects.toThrow(/abort/);
    expect(steps).toEqual(['starting PostgreSQL', 'starting Redis']);
    // PostgreSQL keeps its pid here as long as it runs.
    await expect(readFile(join(folder, 'postgres/data/postmaster.pid'))).rejects.toThrow('ENOENT');
  });

  test('refuses an option that it does not know, and names where they are listed', async () => {
    const command = Process.start({ command: process.execPath, args: ['tools/run.mjs', 'stack', '--ports', '80'] });
    expect(await command.exited).toEqual({ code: 2, signal: null });
    expect(command.output).toContain("Unknown option '--ports'; npm run stack -- --help lists the options");
  });

  test('tells what it could not end beside why it did not start', async () => {
    const starting = new Starting({});
    const url = ({ port }: { readonly port: number }) => `http://127.0.0.1:${port}`;
    const program = `require('node:http').createServer((_, answer) => answer.end()).listen(process.argv[1], '127.0.0.1')`;
    const kind: ServerKind = {
      name: 'one',
      command: ({ port }) => ({ command: process.execPath, args: ['-e', program, String(port)] }),
      isReady: async (place) => (await fetch(url(place))).ok,
      url,
      get stopSignal(): NodeJS.Signals {
        throw new Error('no signal is known');
      },
    };
    const server = await starting.begin('one', async () => LocalServer.start(kind, { folder: await newFolder() }));
    onTestFinished(async () => void (await server.kill()));
    const reason = new Error('the port is in use');
    const told = await starting.undo(reason);
    expect(told).toMatchObject({ message: 'the port is in use; one could not be ended: no signal is known' });
    expect(told).toMatchObject({ errors: [reason, expect.any(AggregateError)] });
  });

  test('ends in order when its terminal is closed, and keeps what its programs wrote', async (context) => {
    skipUnless(context, absent ?? (await commandFault('script', ['--version'])));
    const folder = await newFolder();
    const port = await freePort();
    const command = `exec node tools/run.mjs stack --apis 1 --workers 1 --port ${port} --data ${folder}`;
    // It holds the other end of the terminal, which goes with it.
    const terminal = Process.start({ command: 'script', args: ['-qefc', command, join(folder, 'typescript')] });
    const log = (name: string, more = '') => readFile(join(folder, name, `${name}.log${more}`), 'utf8');
    try {
      await waitFor('the stack to run', () => terminal.output.includes('Tidemark runs at'), STACK_MS);
      expect(terminal.output).toContain('in <name>.log');
    } finally {
      await terminal.end('SIGKILL');
    }
    await waitFor('PostgreSQL to end in order', async () =>
      (await log('postgres')).includes('database system is shut down'),
    );
    for (const name of ['api-1', 'worker-1']) expect(await log(name)).toContain('"msg":"stopped"');
    expect(await log('redis')).toContain('bye bye');
    for (const name of ['influxdb', 'nginx']) await log(name);

    const stack = await Stack.start({ folder, apis: 1, workers: 1 });
    try {
      expect(await log('api-1', '.1')).toContain('"msg":"stopped"');
      expect(await log('api-1')).not.toContain('"msg":"stopped"');
    } finally {
      await stack.close();
    }
  }, 180_000);

  test('does not replace a secret that it cannot read', async (context) => {
    skipUnless(context, absent);
    const folder = await newFolder();
    await mkdir(join(folder, 'secret'));
    await expect(Stack.start({ folder, apis: 1, workers: 1 })).rejects.toThrow('EISDIR');
  });
});
