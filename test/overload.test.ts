import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, Client } from './rig/client.js';
import { DiskFaults } from './rig/disk-faults.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { figure, milliseconds } from './rig/figure.js';
import { inference, model } from './rig/fixtures.js';
import { IngestLoad } from './rig/ingest-load.js';
import { rounds } from './rig/length.js';
import { OwnMetrics } from './rig/own-metrics.js';
import { openPlatform, PROFILES } from './rig/platform.js';
import { CAN_RUN_PRODUCTION, ProductionPlatform } from './rig/production-platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { settledDeliveries } from './rig/settled-ledger.js';
import { commandFault, skipUnless } from './rig/skip.js';
import { drained, NOTHING_WRONG, reckon, storedIds } from './rig/stored-points.js';
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

describe.each(PROFILES)('an orderly stop under load, $name', (profile) => {
  test('readiness goes first, what was begun is finished, and nothing acknowledged is lost', async () => {
    const platform = await openPlatform(profile);
    const api = platform.client();
    await api.must(api.post('models', model('b', { thresholds: { latency: 49 } })));
    const options = { prefix: 'p', modelIds: ['a', 'b'], batchSize: 100, connections: 8, pointsPerSecond: 10_000 };
    const load = new IngestLoad(api, options);
    onTestFinished(() => load.stop());
    await waitFor('some batches to be stored', () => load.points('acknowledged') > 5000);

    const { instances } = platform;
    const watches = instances.map((url) => new ReadinessWatch(url));
    const exit = await platform.stop();
    await load.stop();
    expect(exit).toEqual({ code: 0, signal: null });
    for (const watch of watches) {
      expectNeverReadyAgain(await watch.end());
    }
    for (const url of instances) await expect(reachable(Number(new URL(url).port))).resolves.toBe(false);

    await platform.start();
    await drained(platform);
    const ids = await storedIds(api);
    expect(reckon(load.batches, ids)).toMatchObject(NOTHING_WRONG);
    // The alert that the load raised is there with all that it counted.
    const [alert, ...others] = await api.must(api.get('alerts'));
    const counted = ids.filter(isBreach).length;
    expect(counted).toBeGreaterThan(0);
    expect(others).toEqual([]);
    expect(alert.occurrences).toBe(counted);
  });
});

describe.skipIf(!CAN_RUN_PRODUCTION)('an orderly stop of one of several', () => {
  let platform: ProductionPlatform;
  let api: Client;
  beforeAll(async () => {
    platform = await ProductionPlatform.open({});
    api = platform.client();
  }, 120_000);
  afterAll(() => platform.close());

  test('an instance under load leaves nobody without an answer; the other goes on', { timeout: 600_000 }, async () => {
    const { stack } = platform;
    const load = new IngestLoad(api, {
      ...{ prefix: 'p', modelIds: ['a', 'b'], batchSize: 100, connections: 32, pointsPerSecond: 5000 },
    });
    onTestFinished(() => load.stop());
    const turns = rounds(2, 20);
    const tookMs: number[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const instance = stack.apis[turn % 2];
      const before = load.points('acknowledged');
      await waitFor('points to flow', () => load.points('acknowledged') > before + 5000);
      const watch = new ReadinessWatch(instance.url);
      const beginMs = performance.now();
      expect(await instance.stop()).toEqual({ code: 0, signal: null });
      tookMs.push(performance.now() - beginMs);
      expectNeverReadyAgain(await watch.end());
      const after = load.points('acknowledged');
      await waitFor('the other to go on', () => load.points('acknowledged') > after + 2000);
      await instance.start();
      await waitFor('it to be ready', async () => (await fetch(`${instance.url}/readyz`)).ok);
    }
    await load.stop();
    await drained(platform);
    expect(load.points('unknown')).toBe(0);
    expect(reckon(load.batches, await storedIds(api))).toMatchObject(NOTHING_WRONG);
    const refused = load.batches.filter(({ fate }) => fate === 'refused').length;
    figure(`${turns} SIGTERM of one of two, the slowest to exit 0`, milliseconds(Math.max(...tookMs)));
    figure(`of ${load.batches.length} batches`, `${refused} told to come back, none unanswered`);
  });

  test('a worker finishes what it sends, and nothing is lost or doubled', { timeout: 180_000 }, async () => {
    const { workers } = platform.stack;
    const sink = await HttpSink.open();
    onTestFinished(() => sink.close());
    const count = 12;
    for (let i = 0; i < count; i++) {
      const channel = { name: `hook ${i}`, kind: 'webhook', url: sink.url };
      const { id } = await api.must(api.post('channels', channel));
      await api.must(api.post('models', model(`m${i}`, { channels: [id] })));
    }
    let release = (): void => undefined;
    sink.delay = new Promise((resolve) => (release = resolve));
    const breach = (i: number) => api.must(api.post('metrics/inference', inference(`m${i}`, 'r', { latency: 9000 })));
    for (let i = 0; i < count / 2; i++) await breach(i);
    await waitFor('all to be under way', () => sink.requests.length === count / 2);

    const stopping = workers.map((worker) => worker.stop());
    await waitFor('the workers to be told', () => workers.every(({ output }) => output.includes('"msg":"stopping')));
    // What comes now waits for a worker that is there.
    for (let i = count / 2; i < count; i++) await breach(i);
    release();
    expect(await Promise.all(stopping)).toEqual(workers.map(() => ({ code: 0, signal: null })));
    expect(sink.requests).toHaveLength(count / 2);
    const { deliveries } = await api.must(api.get('deliveries?status=delivered'));
    expect(deliveries).toHaveLength(count / 2);

    await Promise.all(workers.map((worker) => worker.start()));
    await settledDeliveries(api);
    expect(sink.requests).toHaveLength(count);
    expect(new Set(sink.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(count);
  });
});

/** ReadinessWatch asks an instance again and again whether it is ready. */
class ReadinessWatch {
  private readonly seen: (number | 'refused')[] = [];
  private readonly client: Client;
  private readonly work: Promise<void>;
  private isOver = false;

  constructor(url: string) {
    this.client = new Client({ url: () => url });
    this.work = this.run();
  }

  /** end answers what was heard, in order. */
  async end(): Promise<readonly (number | 'refused')[]> {
    this.isOver = true;
    await this.work;
    this.client.close();
    return this.seen;
  }

  private async run(): Promise<void> {
    while (!this.isOver) {
      const answer = this.client.get('/readyz', { headers: { connection: 'close' }, timeoutMs: 5000 });
      this.seen.push(await answer.then(({ status }) => status).catch(() => 'refused' as const));
    }
  }
}

/** Ready until told to stop, then never again. */
function expectNeverReadyAgain(seen: readonly (number | 'refused')[]): void {
  const first = seen.findIndex((one) => one !== 200);
  expect(seen.slice(first < 0 ? seen.length : first)).not.toContain(200);
}

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
