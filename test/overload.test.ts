import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Answer } from './rig/client.js';
import { DiskFaults } from './rig/disk-faults.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { figure } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad } from './rig/ingest-load.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { openPlatform, ALONE } from './rig/platform.js';
import { commandFault, skipUnless } from './rig/skip.js';
import { NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
import { waitFor } from './rig/wait-for.js';

/** The account of the platform itself, which must balance to the point. */
async function account(api: Parameters<typeof OwnMetrics.read>[0]) {
  const metrics = await OwnMetrics.read(api);
  const of = (name: string): number => metrics.sum(`tidemark_points_${name}_total`, 'kind="inference"');
  return { received: of('received'), stored: of('stored'), rejected: of('rejected'), shed: of('shed') };
}

describe('more than the disk can take', () => {
  test('what does not fit is refused with a time to come back, and every point is accounted for', async (context) => {
    skipUnless(context, await commandFault('strace', ['-V']));
    const platform = await openPlatform(EMBEDDED, { env: { TIDEMARK_MAX_QUEUED_POINTS: '1000' } });
    const api = platform.client();
    const answers: Answer[] = [];
    const slow = await DiskFaults.inject(platform.process, 'delay_enter=50000');
    const load = new IngestLoad(api, {
      prefix: 'p',
      modelIds: ['a', 'b'],
      batchSize: 200,
      connections: 30,
      pointsPerSecond: 0,
      onAnswer: (answer) => answers.push(answer),
    });
    onTestFinished(() => load.stop());
    const bad = [
      inference('a', 'bad-1', { latency: -1 }),
      inference('a', 'good-1'),
      inference('a', 'bad-2', { tags: 7 }),
    ];
    const mixed = await waitFor('a batch with faults to be taken', async () => {
      const answer = await api.post('metrics/inference/batch', { metrics: bad });
      return answer.status === 207 ? answer : null;
    });
    expect(mixed.json).toMatchObject({ accepted: 1, rejected: [{ index: 0 }, { index: 2 }] });
    await waitFor('many to be refused and many stored', () => {
      const refused = answers.filter(({ status }) => status === 503).length;
      return refused > 100 && answers.length - refused > 20;
    });
    await load.stop();
    await slow.end();

    for (const { headers, json } of answers.filter(({ status }) => status !== 201)) {
      expect(json).toMatchObject({ status: 503, code: 'overloaded' });
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(load.points('unknown')).toBe(0);
    const books = await account(api);
    expect(books.received).toBe(books.stored + books.rejected + books.shed);
    expect(books.stored).toBe(load.points('acknowledged') + 1);
    // Each try of the mixed batch counts, also those that found no room.
    expect(books.rejected % 2).toBe(0);
    expect(books.shed - load.points('refused')).toBe(books.rejected / 2 - 1);
    const ids = await storedIds(api);
    expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
    expect(ids).toHaveLength(books.stored);
    const share = books.shed / books.received;
    figure('overload, of the points received', `${(100 * share).toFixed(0)}% shed, all told`);
    expect((await api.post('metrics/inference', inference('a', 'after'))).status).toBe(201);
  });
});

describe.each(ALONE)('an orderly stop under load, $name', (profile) => {
  test('readiness goes first, what was begun is finished, and nothing acknowledged is lost', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('models', model('b', { thresholds: { latency: 49 } })));
    const options = { prefix: 'p', modelIds: ['a', 'b'], batchSize: 100, connections: 8, pointsPerSecond: 0 };
    const load = new IngestLoad(api, options);
    onTestFinished(() => load.stop());
    await waitFor('some batches to be stored', () => load.points('acknowledged') > 5000);

    const readiness: (number | 'refused')[] = [];
    const asking = platform.client();
    const { port } = new URL(platform.url);
    const running = platform.process;
    const watch = (async () => {
      while (!running.hasExited) {
        const answer = asking.get('/readyz', { headers: { connection: 'close' }, timeoutMs: 5000 });
        readiness.push(await answer.then(({ status }) => status).catch(() => 'refused' as const));
      }
    })();
    const exit = await platform.stop();
    await load.stop();
    await watch;
    expect(exit).toEqual({ code: 0, signal: null });
    // Ready until told to stop, then never again.
    expect(readiness.slice(readiness.findIndex((one) => one !== 200)).includes(200)).toBe(false);
    await expect(reachable(Number(port))).resolves.toBe(false);

    await platform.start();
    const ids = await storedIds(api);
    expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
    // The alert that the load raised is there with all that it counted.
    const [alert] = await api.must(api.get('alerts'));
    const counted = ids.filter(isBreach).length;
    expect(counted).toBeGreaterThan(0);
    expect(alert.occurrences).toBe(counted);
  });
});

/** Every fiftieth point of a batch has 50 ms, and is of model b. */
function isBreach(id: string): boolean {
  return Number(id.slice(id.lastIndexOf('#') + 1)) % 50 === 49;
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
