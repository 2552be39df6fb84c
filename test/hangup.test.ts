import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Process } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EMBEDDED } from './rig/embedded-platform.js';
import { openPlatform } from './rig/platform.js';
import { commandFault, skipUnless } from './rig/skip.js';
import { waitFor } from './rig/wait-for.js';

const MAIN = fileURLToPath(new URL('../apps/api/dist/main.js', import.meta.url));

describe('a platform whose terminal goes', () => {
  test('ends in order on SIGHUP', async () => {
    const platform = await openPlatform(EMBEDDED);
    const { process: program } = platform;
    expect(await program.end('SIGHUP')).toEqual({ code: 0, signal: null });
    expect(program.output).toContain('"msg":"stopped"');
  });

  test('ends in order although it can print nothing any more', async (context) => {
    skipUnless(context, await commandFault('script', ['--version']));
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-hangup-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const env = { API_PORT: '0', TIDEMARK_DATA_DIR: folder };
    const command = `exec ${process.execPath} ${MAIN}`;
    // It holds the other end of the terminal, which goes with it.
    const terminal = Process.start({ command: 'script', args: ['-qefc', command, join(folder, 'typescript')], env });
    await waitFor('the platform to run', () => terminal.output.includes('tidemark is ready'));
    const isThere = (name: string) =>
      access(join(folder, name)).then(
        () => true,
        () => false,
      );
    expect(await isThere('state.db-wal')).toBe(true);
    await terminal.end('SIGKILL');
    // A database that was closed has put its log away; one that was killed has not.
    for (const name of ['state.db-wal', 'metrics.db-wal']) {
      await waitFor(`${name} to be put away`, async () => !(await isThere(name)));
    }
  });
});
