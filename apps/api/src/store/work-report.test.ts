import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '@tidemark/sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Telemetry } from '../platform/telemetry.js';
import { waitFor } from '../rig/wait-for.js';
import { aBatch, aDay, aPoint, aSeries, HOUR, NOW } from './point-samples.contract.js';
import { SqliteStore } from './sqlite-store.js';
import { createWorkReport } from './work-report.js';

const RETENTION = { rawMs: 7 * 24 * HOUR, minuteMs: 30 * 24 * HOUR, hourMs: 400 * 24 * HOUR };

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-work-'));
  file = join(folder, 'metrics.db');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Changes the file as nothing of ours does: behind the back of the store. */
function meddle(sql: string): void {
  const database = Database.open({ file });
  database.exec(sql);
  database.close();
}

it('counts each fault of the flushing, and logs where an episode begins and where it ends', async () => {
  const lines: { level: number; work?: string; failures?: number }[] = [];
  const log = pino({ level: 'info', base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const telemetry = new Telemetry();
  const options = { file, retention: RETENTION, pace: { flushPoints: 1, flushMs: 0 }, clock: () => NOW };
  await (await SqliteStore.open(options)).close();
  meddle(`CREATE TRIGGER no_rollups BEFORE INSERT ON rollups BEGIN SELECT RAISE(ABORT, 'no rollups today'); END`);

  const store = await SqliteStore.open({ ...options, onWork: createWorkReport(log, telemetry) });
  try {
    await store.write(aBatch([aPoint(aSeries(), 1, NOW - 5)]));
    const faults = async () => (await telemetry.storeWorkFaults.get()).values;
    await waitFor('two faults', async () => ((await faults())[0]?.value ?? 0) >= 2, 15_000);
    expect(await faults()).toMatchObject([{ labels: { work: 'flush' } }]);
    expect(lines).toMatchObject([{ level: 40, work: 'flush', reason: expect.stringContaining('no rollups today') }]);
    meddle('DROP TRIGGER no_rollups');
    await waitFor('the store to be well again', () => lines.length > 1, 15_000);
    expect(lines.slice(1)).toMatchObject([{ level: 30, work: 'flush', failures: expect.any(Number) }]);
    expect((await store.summary(aDay())).totalRequests).toBe(1);
  } finally {
    await store.close();
  }
});
