import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

describe.each([
  ['api', 'tidemark', 'API_PORT=9000'],
  ['worker', 'tidemark worker', 'WORKER_PORT=8002'],
])('the program of the %s', (program, name, example) => {
  const main = fileURLToPath(new URL(`../apps/${program}/dist/main.js`, import.meta.url));
  /** Ends by itself, or is killed: it must not have started. */
  const ask = (...args: readonly string[]) => run(process.execPath, [main, ...args], { timeout: 60_000 });

  test('refuses an argument that it does not know, and says how it is set up', async () => {
    await expect(ask('--port', '9000')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(new RegExp(`^${name}: --port 9000: .*environment variables, such as ${example};`)),
    });
  });

  test('says what it is, and its version', async () => {
    const { stdout } = await ask('--help');
    expect(stdout).toContain(`apps/${program}/dist/main.js`);
    expect(stdout).toContain(example);
    expect(stdout).toContain('docs/configuration.md');
    expect((await ask('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
