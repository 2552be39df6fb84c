import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { missing } from '@tidemark/servers';
import { Stack } from '../stack/stack.js';
import { skipUnless } from './rig/skip.js';

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

  test('does not replace a secret that it cannot read', async (context) => {
    skipUnless(context, absent);
    const folder = await newFolder();
    await mkdir(join(folder, 'secret'));
    await expect(Stack.start({ folder, apis: 1, workers: 1 })).rejects.toThrow('EISDIR');
  });
});
