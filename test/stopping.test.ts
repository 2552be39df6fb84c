import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Process } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inference, model } from './rig/fixtures.js';
import { CAN_RUN_PRODUCTION, openProduction } from './rig/production-platform.js';
import { waitFor } from './rig/wait-for.js';

const MAIN = fileURLToPath(new URL('../apps/api/dist/main.js', import.meta.url));

/** Has the collection of garbage at the start take half a second, as on a slow machine. */
const SLOW_COLLECTION = `
import { Session } from 'node:inspector';
const { post } = Session.prototype;
Session.prototype.post = function (method, done) {
  return post.call(this, method, (...answer) => setTimeout(done, 500, ...answer));
};`;

describe('a platform ends in order', () => {
  test('as soon as it has answered that it is ready', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-stopping-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    const args = ['--import', `data:text/javascript,${encodeURIComponent(SLOW_COLLECTION)}`, MAIN];
    const env = { API_PORT: String(port), TIDEMARK_DATA_DIR: folder };
    const platform = Process.start({ command: process.execPath, args, env });
    onTestFinished(async () => void (await platform.end('SIGKILL')));
    await waitFor('the platform to be ready', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    expect(await platform.end('SIGTERM')).toEqual({ code: 0, signal: null });
  });
});

describe.skipIf(!CAN_RUN_PRODUCTION)('several instances and workers end in order', () => {
  test('while PostgreSQL is away, and tell what they could not write', { timeout: 300_000 }, async () => {
    const platform = await openProduction({ keys: [{}] });
    const [key] = platform.keys;
    const [instance = ''] = platform.instances;
    const api = platform.clientOf(instance, key);
    await api.must(api.post('models', model('ill', { thresholds: { latency: 100 } })));
    for (const id of ['one', 'two'])
      await api.must(api.post('metrics/inference', inference('ill', id, { latency: 900 })));
    await platform.stack.postgres.kill();
    expect(await platform.stop()).toEqual({ code: 0, signal: null });
    expect(platform.output).toContain('when keys were last used could not be written at the end');
  });
});
