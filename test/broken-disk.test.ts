import { describe, expect, onTestFinished, test } from 'vitest';
import type { Answer, Client } from './rig/client.js';
import { DiskFaults } from './rig/disk-faults.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { figure, milliseconds } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad, type SentBatch } from './rig/ingest-load.js';
import { openPlatform, type Platform } from './rig/platform.js';
import { commandFault, skipUnless } from './rig/skip.js';
import { SmallDisk } from './rig/small-disk.js';
import { NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

/** Ingest that goes on while the disk fails and heals, and everything it was answered. */
class Ingest {
  readonly refusals: Answer[] = [];
  private refused = 0;
  private stored = 0;
  readonly load: IngestLoad;

  constructor(api: Client) {
    const onAnswer = (answer: Answer): void => {
      if (answer.status === 201) this.stored++;
      else {
        this.refused++;
        this.refusals.push(answer);
      }
    };
    const options = { prefix: 'p', modelIds: ['a', 'b'], batchSize: 100, connections: 2, pointsPerSecond: 4000 };
    this.load = new IngestLoad(api, { ...options, onAnswer });
  }

  /** Waits for refusals from now on, and for none to be left out. */
  async refusedAgain(): Promise<void> {
    const before = this.refused;
    await waitFor('requests to be refused', () => this.refused > before + 5);
  }

  async storedAgain(): Promise<void> {
    const before = this.stored;
    await waitFor('requests to be stored again', () => this.stored > before + 5);
  }
}

/** Every refusal says that it is one, why, and when to come again. */
function expectHonest(refusals: readonly Answer[]): void {
  expect(refusals.length).toBeGreaterThan(0);
  for (const { status, headers, json } of refusals) {
    expect([status, json.code]).toEqual([503, 'storage_unavailable']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  }
}

async function expectAllThere(platform: Platform, batches: readonly SentBatch[]): Promise<void> {
  const ids = await storedIds(platform.client());
  expect(reckon(batches, ids)).toMatchObject(NOTHING_WRONG);
  expect((await platform.client().get('summary')).json.total_requests).toBe(ids.length);
}

describe('a disk that fails', () => {
  test('a full disk is answered 503, never a false success, and heals by itself', async (context) => {
    const disk = await SmallDisk.mount(4);
    if (typeof disk === 'string') return skipUnless(context, disk);
    const platform = await openPlatform(EMBEDDED, { dataDir: disk.folder });
    const api = platform.client();
    const ingest = new Ingest(api);
    onTestFinished(() => ingest.load.stop());

    await ingest.storedAgain();
    await ingest.refusedAgain(); // full by what was stored
    const beginMs = performance.now();
    expect((await api.post('metrics/inference', inference('a', 'single'))).status).toBe(503);
    figure('a request that a full disk refuses is answered after', milliseconds(performance.now() - beginMs));
    // The last free page may still hold the small write that readiness tries.
    await waitFor('the platform to say that it is not ready', async () => (await api.get('/readyz')).status === 503);
    await waitFor('health to say so', async () => (await api.get('health')).json.status === 'degraded');
    expect((await api.get('/livez')).status).toBe(200);
    expect((await api.get('summary')).json.total_requests).toBeGreaterThan(0); // reading goes on

    await disk.resize(16); // somebody makes the disk larger
    await ingest.storedAgain();
    expect((await api.get('/readyz')).status).toBe(200);

    await disk.fill(); // something else fills it
    await ingest.refusedAgain();
    await disk.clear(); // and goes away
    await ingest.storedAgain();

    await disk.resize(64);
    await ingest.load.stop();
    expectHonest(ingest.refusals);
    await expectAllThere(platform, ingest.load.batches);
    await platform.kill();
    await platform.start();
    await expectAllThere(platform, ingest.load.batches);
  });

  test('what a full disk refuses of models and channels is answered 503 too, without a page of log for each', async (context) => {
    const disk = await SmallDisk.mount(4);
    if (typeof disk === 'string') return skipUnless(context, disk);
    const platform = await openPlatform(EMBEDDED, { dataDir: disk.folder });
    const api = platform.client();
    await api.must(api.post('models', model('before')));
    await disk.fill();

    const refusals: Answer[] = [];
    let turn = 0;
    const name = 'x'.repeat(200); // small rows still fit into pages that are there
    await waitFor('registrations to be refused', async () => {
      const answer = await api.post('models', model(`m${turn++}`, { name }));
      if (answer.status !== 201) refusals.push(answer);
      return refusals.length > 5;
    });
    expectHonest(refusals);
    expectHonest([await api.post('channels', { name, kind: 'webhook', url: 'https://example.com/hook' })]);
    expectHonest([await api.put('models/before', model('before', { version: '2' }))]);
    expect((await api.must(api.get('models/before'))).version).toBe('1'); // reading goes on
    expect(platform.output).not.toMatch(/a request failed|SqliteError.*\\n +at /);

    await disk.clear();
    await waitFor('a change to be kept', async () => (await api.put('models/before', model('before'))).status === 200);
  });

  test('a disk that cannot sync is answered 503, never a false success, and heals by itself', async (context) => {
    skipUnless(context, await commandFault('strace', ['-V']));
    const platform = await openPlatform(EMBEDDED);
    const api = platform.client();
    const ingest = new Ingest(api);
    onTestFinished(() => ingest.load.stop());
    await ingest.storedAgain();
    for (let round = 0; round < 3; round++) {
      const faults = await DiskFaults.inject(platform.process, 'error=EIO');
      await ingest.refusedAgain();
      expect((await api.get('/readyz')).status).toBe(503);
      await faults.end();
      await ingest.storedAgain();
      expect((await api.get('/readyz')).status).toBe(200);
    }
    await ingest.load.stop();
    expectHonest(ingest.refusals);
    await expectAllThere(platform, ingest.load.batches);
    await platform.kill();
    await platform.start();
    await expectAllThere(platform, ingest.load.batches);
  });
});
