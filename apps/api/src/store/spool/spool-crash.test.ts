import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Spool } from './spool.js';

const ROUNDS = 8;
const BATCH = 20;
const OPTIONS = { maxBytes: 100_000_000, segmentBytes: 3000 };

/** WRITER appends batch after batch and drains slower; it prints the number of each that it was promised or that is drained. */
const WRITER = `
  const [entry, folder, options, first, batch] = process.argv.slice(2);
  const { Spool } = await import(entry);
  const spool = await Spool.open({ folder, ...JSON.parse(options), wallMs: () => Date.now() });
  for (let number = Number(first); ; number++) {
    const lines = Array.from({ length: Number(batch) }, (_, i) => 'm,model=a n=' + number + ',i=' + i + '\\n');
    await spool.append(Buffer.from(lines.join('')), lines.length);
    process.stdout.write('promised ' + number + '\\n');
    if (number % 2 === 0) {
      const taken = await spool.take(1);
      const [, drained] = /n=(\\d+)/.exec(Buffer.from(taken.lines).toString());
      process.stdout.write('drained ' + drained + '\\n');
      await spool.accept(taken);
    }
  }
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-spool-crash-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it(
  'a spool killed at random moments keeps every promised batch that was not drained',
  { timeout: 60_000 },
  async () => {
    let first = 1;
    for (let round = 0; round < ROUNDS; round++) {
      const { promised, drained } = await writeUntilKilled(first, 5 + ((round * 37) % 60));
      const numbers = await drainBatches();
      const last = numbers.at(-1) ?? 0;
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => last - numbers.length + 1 + i));
      // The batch that was being written may be there too: it was only not promised.
      expect([promised, promised + 1]).toContain(last);
      expect(numbers[0]).toBeLessThanOrEqual(drained + 1);
      expect(numbers[0]).toBeGreaterThanOrEqual(first);
      first = last + 1;
    }
  },
);

/** writeUntilKilled kills the writer in the midst of its work, after it has been promised so many batches. */
async function writeUntilKilled(first: number, batches: number): Promise<{ promised: number; drained: number }> {
  const entry = new URL('../../../dist/store/spool/spool.js', import.meta.url).href;
  const program = join(folder, 'writer.mjs');
  writeFileSync(program, WRITER);
  const args = [program, entry, join(folder, 'spool'), JSON.stringify(OPTIONS), `${first}`, `${BATCH}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  const exited = once(child, 'exit');
  const told = { promised: first - 1, drained: first - 1 };
  for await (const text of createInterface({ input: child.stdout })) {
    const [kind, number] = text.split(' ');
    told[kind === 'drained' ? 'drained' : 'promised'] = Number(number);
    if (told.promised === first - 1 + batches) child.kill('SIGKILL');
  }
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
  return told;
}

/** drainBatches opens the spool and answers the number of every batch in it, each of which must be whole. */
async function drainBatches(): Promise<number[]> {
  const spool = await Spool.open({ folder: join(folder, 'spool'), ...OPTIONS, wallMs: () => Date.now() });
  const numbers: number[] = [];
  for (let batch = await spool.take(1); batch; batch = await spool.take(1)) {
    const found = Buffer.from(batch.lines).toString().trimEnd().split('\n');
    const number = Number(/n=(\d+)/.exec(found[0] ?? '')?.[1]);
    expect(found).toEqual(Array.from({ length: BATCH }, (_, i) => `m,model=a n=${number},i=${i}`));
    numbers.push(number);
    await spool.accept(batch);
  }
  await spool.close();
  return numbers;
}
