import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { EMBEDDED } from './rig/embedded-platform.js';
import { openPlatform } from './rig/platform.js';

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

test('alone, nothing is loaded that only several instances need', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-coverage-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // Node writes there what scripts it ran, thread by thread.
  const platform = await openPlatform(EMBEDDED, { env: { NODE_V8_COVERAGE: folder } });
  await platform.stop();
  const packages = new Set<string>();
  for (const file of await readdir(folder)) {
    const { result } = JSON.parse(await readFile(join(folder, file), 'utf8')) as Coverage;
    for (const { url } of result) packages.add(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '');
  }
  expect([...packages]).toContain('fastify');
  expect(['pg', 'ioredis', 'bullmq'].filter((name) => packages.has(name))).toEqual([]);
});
