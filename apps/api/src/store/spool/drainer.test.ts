import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { StoreFault, type StoreFaultKind } from '../store-fault.js';
import { DeadLetters } from './dead-letters.js';
import { Drainer } from './drainer.js';
import { Lane } from './lane.js';
import { Spool } from './spool.js';
import { SpoolingSink } from './spooling-sink.js';

const FAULTS: StoreFaultKind[] = ['unreachable', 'timeout', 'overloaded', 'unauthorized', 'too_large', 'refused'];
const PACE = { firstMs: 0, lastMs: 0, slowMs: 0, maxAskedMs: 0 };

/** What the network does with each request: it works, it fails, or it fails after the server stored the lines. */
const step = fc.record({
  fault: fc.constantFrom(null, null, ...FAULTS),
  isStored: fc.boolean(),
});

it(
  'every acknowledged line arrives, in order, whatever the network does and however often the process ends',
  { timeout: 120_000 },
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'tidemark-drainer-'));
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 60 }),
          fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
          fc.integer({ min: 1, max: 6 }),
          async (network, writes, restartEvery) => {
            const stored = new Set<string>();
            const steps = [...network];
            const writeLines = async (lines: Uint8Array): Promise<void> => {
              const { fault, isStored } = steps.shift() ?? { fault: null, isStored: true };
              const texts = Buffer.from(lines).toString().trimEnd().split('\n');
              // A single line that is too large would be set aside, which is another promise.
              const kind = fault === 'too_large' && texts.length === 1 ? null : fault;
              if (kind === null || (isStored && kind !== 'too_large')) for (const text of texts) stored.add(text);
              if (kind !== null) throw new StoreFault(kind, 'as told');
            };
            const folder = mkdtempSync(join(root, 'run-'));
            const open = () =>
              SpoolingSink.open({
                ...{ sink: { writeLines }, folder, maxBytes: 1e6, segmentBytes: 300, drainBatchBytes: 100, pace: PACE },
                ...{
                  wallMs: () => Date.now(),
                  steadyMs: () => performance.now(),
                  random: () => 1,
                  report: () => undefined,
                },
              });
            let sink = await open();
            const acknowledged: string[] = [];
            for (const [index, count] of writes.entries()) {
              const lines = Array.from({ length: count }, () => `m x=${acknowledged.length} ${index}`).map(
                (line, i) => `${line}${i}`,
              );
              await sink.write(Buffer.from(`${lines.join('\n')}\n`), count);
              acknowledged.push(...lines);
              if (index % restartEvery === restartEvery - 1) {
                await sink.close();
                sink = await open();
              }
            }
            await waitFor('the spool to be drained', () => sink.stats().bytes === 0);
            await sink.close();
            expect([...stored]).toEqual(acknowledged);
          },
        ),
        { numRuns: 60 },
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  },
);

it('leaves the server alone for the longest that it asked for, of requests that fail together', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-drainer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  let nowMs = 0;
  const wallMs = (): number => nowMs;
  const spool = await Spool.open({ folder, maxBytes: 1e6, wallMs });
  const drainer = new Drainer({
    ...{ spool, batchBytes: 100, steadyMs: wallMs, random: () => 1, report: () => undefined },
    lane: new Lane({ writeLines: () => Promise.resolve() }, 1000),
    deadLetters: DeadLetters.open({ folder, maxBytes: 1e6, wallMs }),
  });
  drainer.blame(new StoreFault('overloaded', 'as told', { retryAfterMs: 60_000 }));
  nowMs = 500;
  drainer.blame(new StoreFault('timeout', 'as told'));
  nowMs = 59_999;
  expect(drainer.mayTry).toBe(false);
  nowMs = 60_000;
  expect(drainer.mayTry).toBe(true);
  await drainer.close();
  await spool.close();
});
