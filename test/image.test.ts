import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Client } from './rig/client.js';
import { buildWithoutDocker, readDockerfile } from './rig/dockerfile.js';
import { inference } from './rig/fixtures.js';
import { Process } from '@tidemark/servers';
import { waitFor } from './rig/wait-for.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILD_MS = 400_000;

/** On a desk the packages that are installed already are linked, which spares half of the time; where CI is set, npm does it. */
const INSTALL = 'npm ci --no-audit --no-fund --ignore-scripts';
const LINK = `for d in . apps/* libs/*; do m="${ROOT}/$d/node_modules"; [ ! -d $m ] || cp -al $m $d/ || cp -a $m $d/; done`;
const QUICKER: Record<string, string> = process.env['CI'] ? {} : { [INSTALL]: LINK };

describe('the image', () => {
  test('is pinned, runs as nobody special, and with the flags that were measured', async () => {
    const instructions = readDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8'));
    const all = (word: string): string[] => instructions.filter((one) => one.word === word).map(({ rest }) => rest);
    for (const base of all('FROM')) expect(base).toMatch(/^node:20\.\d+\.\d+-bookworm-slim( AS build)?$/);
    expect(all('USER')).toEqual(['1000:1000']);
    const { config } = JSON.parse(await readFile(join(ROOT, 'apps/api/package.json'), 'utf8'));
    expect(all('RUN')).toContain(INSTALL);
    expect(JSON.parse(all('CMD')[0] ?? '')).toEqual(['node', ...config.nodeFlags.split(' '), 'apps/api/dist/main.js']);
  });

  test(
    'is made of what its steps leave, and that serves',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tidemark-image-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const image = await buildWithoutDocker(ROOT, folder, QUICKER);
      const modules = await readdir(join(image.workdir, 'node_modules'));
      for (const tool of ['typescript', 'vitest', 'eslint', 'prettier', 'yaml']) expect(modules).not.toContain(tool);
      for (const absent of ['tools', 'apps/api/src', 'libs/sdk/src', '.env']) {
        await expect(access(join(image.workdir, absent))).rejects.toThrow('ENOENT');
      }
      const [command = '', flags = '', main = ''] = image.command;
      expect(command).toBe('node');
      const started = Process.start({
        command: process.execPath,
        args: [flags, join(image.workdir, main)],
        env: { ...image.env, TIDEMARK_DATA_DIR: join(image.root, 'data'), API_PORT: '0' },
      });
      onTestFinished(async () => void (await started.end('SIGKILL')));
      const url = await waitFor('the api to listen', () => /"url":"([^"]+)"/.exec(started.output)?.[1]);
      const api = new Client({ url: () => url });
      onTestFinished(() => api.close());
      expect((await api.post('metrics/inference', inference('a', 'r1'))).status).toBe(201);
      expect((await api.get('/docs/swagger-ui.css')).status).toBe(200);
      expect(await started.end('SIGTERM')).toEqual({ code: 0, signal: null });
    },
    BUILD_MS,
  );
});
