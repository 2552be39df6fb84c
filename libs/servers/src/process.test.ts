import { execPath } from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Process } from './process.js';

const BUILT = new URL('../dist/process.js', import.meta.url).href;
const TREE = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  console.log('pids ' + process.pid + ' ' + child.pid + ' end');
  setInterval(() => {}, 1000);`;

describe('a process', () => {
  it('leads a group of its own, so that a signal to the group of who started it does not reach it', async () => {
    const started = Process.start({ command: execPath, args: ['-e', TREE] });
    onTestFinished(async () => void (await started.end('SIGKILL')));
    expect(() => process.kill(-started.pid, 0)).not.toThrow();
    const [, child] = await pidsIn(started);
    process.kill(-started.pid, 'SIGKILL');
    expect((await started.exited).signal).toBe('SIGKILL');
    await gone(child);
  });

  it('handles signals from the first start on, and not because it was imported', async () => {
    const script = `
      const counts = () => ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((name) => process.listenerCount(name));
      const before = counts();
      const { Process } = await import(${JSON.stringify(BUILT)});
      const imported = counts();
      for (let i = 0; i < 2; i++) await Process.start({ command: process.execPath, args: ['-e', ''] }).exited;
      process.stdout.write(JSON.stringify({ before, imported, started: counts() }));`;
    const starter = Process.start({ command: execPath, args: ['--input-type=module', '-e', script] });
    await starter.exited;
    await waitFor(() => starter.output.endsWith('}'));
    const { before, imported, started } = JSON.parse(starter.output) as Record<string, number[]>;
    expect(imported).toEqual(before);
    expect(started).toEqual(before?.map((count) => count + 1));
  });

  it('keeps the last million characters of what it writes', async () => {
    const script = `process.stdout.write('a'.repeat(3_000_000)); process.stdout.write('the end')`;
    const started = Process.start({ command: execPath, args: ['-e', script] });
    await started.exited;
    await waitFor(() => started.output.endsWith('the end'));
    expect(started.output).toHaveLength(1_000_000);
  });

  it.each([
    ['ends', 'process.exit(0)'],
    ['is ended by a signal that it does not handle', "process.kill(process.pid, 'SIGTERM')"],
  ])('is killed with all that it started when who started it %s', async (_, ending) => {
    const script = `
      const { Process } = await import(${JSON.stringify(BUILT)});
      const started = Process.start({ command: process.execPath, args: ['-e', ${JSON.stringify(TREE)}] });
      while (!/end/.test(started.output)) await new Promise((resolve) => setTimeout(resolve, 10));
      process.stdout.write(started.output, () => { ${ending}; });`;
    const starter = Process.start({ command: execPath, args: ['--input-type=module', '-e', script] });
    onTestFinished(async () => void (await starter.end('SIGKILL')));
    const pids = await pidsIn(starter);
    await starter.exited;
    for (const pid of pids) await gone(pid);
  });
});

async function pidsIn(started: Process): Promise<[number, number]> {
  await waitFor(() => started.output.includes('end'));
  const [, first, second] = /pids (\d+) (\d+) end/.exec(started.output) ?? [];
  return [Number(first), Number(second)];
}

async function gone(pid: number): Promise<void> {
  await waitFor(() => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
}

async function waitFor(condition: () => boolean): Promise<void> {
  await expect.poll(condition, { timeout: 20_000, interval: 10 }).toBe(true);
}
