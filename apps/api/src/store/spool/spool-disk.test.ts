import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from './spool.js';

const run = promisify(execFile);
const OPTIONS = { maxBytes: 100_000_000, wallMs: () => Date.now() };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-spool-disk-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A batch that tells its number and fills some kilobytes. */
function batch(number: number): Buffer {
  return Buffer.from(`n=${number} ${'x'.repeat(30_000)}\n`);
}

/** Takes and accepts everything, and answers the numbers of the batches. */
async function drain(spool: Spool): Promise<number[]> {
  const numbers: number[] = [];
  for (let taken = await spool.take(1); taken; taken = await spool.take(1)) {
    numbers.push(Number(/n=(\d+)/.exec(Buffer.from(taken.lines).toString())?.[1]));
    await spool.accept(taken);
  }
  return numbers;
}

describe('a spool on a full disk', () => {
  it('refuses with the code, leaves nothing half written, and goes on by itself when there is room', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'pipe' });
    } catch (error) {
      context.skip(`no tmpfs of 2 MB can be mounted here: ${String(error)}`);
    }
    try {
      const ballast = join(folder, 'ballast');
      writeFileSync(ballast, Buffer.alloc(1_000_000));
      const place = join(folder, 'spool');
      const spool = await Spool.open({ folder: place, ...OPTIONS, segmentBytes: 200_000 });
      const kept: number[] = [];
      const appendUntilRefused = async (): Promise<void> => {
        for (let number = (kept.at(-1) ?? 0) + 1; ; number++) {
          try {
            await spool.append(batch(number), 1);
          } catch (error) {
            expect(error).toMatchObject({ name: 'SpoolFault', code: 'ENOSPC' });
            return;
          }
          kept.push(number);
        }
      };
      await appendUntilRefused();
      expect(kept.length).toBeGreaterThan(10);
      for (let i = 0; i < 5; i++) await appendUntilRefused();
      expect(spool.stats()).toMatchObject({ points: kept.length, tornFrames: 0 });
      rmSync(ballast);
      const before = kept.length;
      await appendUntilRefused();
      expect(kept.length).toBeGreaterThan(before + 10);
      await spool.close();

      const again = await Spool.open({ folder: place, ...OPTIONS }); // the disk is full to its last page
      expect(again.stats()).toMatchObject({ points: kept.length, tornFrames: 0 });
      expect(await drain(again)).toEqual(kept);
      await again.close();
      expect(readdirSync(place)).toEqual([]);
    } finally {
      execFileSync('umount', ['-l', folder]);
    }
  });
});

describe('a spool on a disk that fails', () => {
  /** CHILD appends eight batches, and prints for each whether it was kept or the code of its refusal. */
  const CHILD = `
    const [entry, folder] = process.argv.slice(2);
    const { Spool } = await import(entry);
    const spool = await Spool.open({ folder, maxBytes: 1e8, wallMs: () => Date.now() });
    for (let number = 1; number <= 8; number++) {
      const lines = Buffer.from('n=' + number + '\\n');
      const told = await spool.append(lines, 1).then(() => 'kept', (error) => error.code);
      console.log(number, told);
    }
    console.log('points', spool.stats().points);
    process.exit(0);
  `;

  it.for([
    // Each refused batch syncs twice: itself, and what is cut off of it.
    { disk: 'cannot sync', faults: ['fdatasync:error=EIO:when=3..6'] },
    { disk: 'cannot write', faults: ['pwrite64:error=EIO:when=3..5'] },
    // What could not be cut off is cut off before the next batch, or that one is refused too.
    { disk: 'can neither sync nor cut', faults: ['fdatasync:error=EIO:when=3', 'ftruncate:error=EIO:when=1..3'] },
  ])('that $disk refuses what it cannot promise, keeps the rest and heals', async ({ faults }, context) => {
    const reason = await run('strace', ['-V']).then(
      () => null,
      (error: unknown) => String(error),
    );
    if (reason !== null) context.skip(`strace does not work here: ${reason}`);
    const entry = new URL('../../../dist/store/spool/spool.js', import.meta.url).href;
    const program = join(folder, 'child.mjs');
    writeFileSync(program, CHILD);
    const [place, log] = [join(folder, 'spool'), join(folder, 'calls.txt')];
    const injections = faults.flatMap((fault) => ['-e', `inject=${fault}`]);
    // Its calls are counted for each thread by strace, so one thread makes them all.
    const quietly = ['-E', 'UV_THREADPOOL_SIZE=1', '-f', '-qq', '-o', log];
    const traced = [...quietly, '-e', 'trace=fdatasync,pwrite64,ftruncate', ...injections];
    const { stdout } = await run('strace', [...traced, process.execPath, program, entry, place], { timeout: 30_000 });
    const all = [1, 2, 3, 4, 5, 6, 7, 8];
    const kept = [1, 2, 6, 7, 8];
    const told = all.map((number) => `${number} ${kept.includes(number) ? 'kept' : 'EIO'}`);
    expect(stdout.trim().split('\n')).toEqual([...told, `points ${kept.length}`]);
    // What was cut off is not to come back with a power cut.
    const calls = readFileSync(log, 'utf8').split('\n');
    const cuts = calls.flatMap((call, i) => (/ ftruncate\(.* = 0$/.test(call) ? [calls[i + 1]] : []));
    expect(cuts.length).toBeGreaterThan(0);
    for (const next of cuts) expect(next).toMatch(/ fdatasync\(/);

    const spool = await Spool.open({ folder: place, ...OPTIONS });
    expect(spool.stats()).toMatchObject({ points: kept.length, tornFrames: 0 });
    expect(await drain(spool)).toEqual(kept);
    await spool.close();
  });
});
