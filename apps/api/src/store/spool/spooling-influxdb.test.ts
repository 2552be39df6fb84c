import { canRun, type LocalServer, startInfluxDb } from '@tidemark/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { Spooling } from './rig/spooling.js';

const BATCH = 20;

describe.skipIf(!canRun('influxd'))('a spooling sink before InfluxDB', () => {
  let influx: LocalServer;

  beforeAll(async () => {
    influx = await startInfluxDb();
  });

  afterAll(() => influx.close());

  it('loses nothing while InfluxDB is killed twice under load and comes back', { timeout: 120_000 }, async () => {
    await query('CREATE DATABASE tidemark');
    const spooling = await Spooling.open(influx.url, { segmentBytes: 20_000 });
    const load = new Load(spooling);
    for (let round = 1; round <= 2; round++) {
      await load.writes(20);
      const episodes = spooling.told('back').length;
      await influx.kill();
      await load.spooled(50);
      await influx.start();
      await waitFor('the drainer to be done', () => spooling.told('back').length > episodes, 60_000);
    }
    await expectCountsEqual(spooling, load);
  });

  it(
    'loses nothing while InfluxDB stands still with its connections open, and goes on',
    { timeout: 120_000 },
    async () => {
      await query('DROP DATABASE tidemark');
      await query('CREATE DATABASE tidemark');
      const spooling = await Spooling.open(influx.url);
      const load = new Load(spooling);
      await load.writes(20);
      influx.pause();
      await load.spooled(50);
      influx.resume();
      await waitFor('the drainer to be done', () => spooling.told('back').length > 0, 60_000);
      expect(new Set(spooling.told('away').map(({ fault }) => fault.kind))).toEqual(new Set(['timeout']));
      await expectCountsEqual(spooling, load);
    },
  );

  it('finds by itself the points whose type another point has fixed already', async () => {
    await query('DROP DATABASE tidemark');
    await query('CREATE DATABASE tidemark');
    const spooling = await Spooling.open(influx.url);
    await spooling.write(10);
    const text = spooling.line(11).replace('=11', '="text"'); // in the same shard: each fixes its own types
    const lines = [text, spooling.line(12), 'no line at all', ''];
    await spooling.sink.write(Buffer.from(lines.join('\n')), 3);
    await waitFor('the drainer to be done', () => spooling.told('back').length > 0);
    expect(await storedPoints()).toBe(11);
    expect(spooling.sink.stats().deadLetters.lines).toMatchObject({ bad_points: 2, beside_bad_points: 0 });
  });

  /** Every acknowledged point is there once; the load ends first. */
  async function expectCountsEqual(spooling: Spooling, load: Load): Promise<void> {
    await load.end();
    await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0, 60_000);
    expect(spooling.sink.stats()).toMatchObject({ tornFrames: 0, refusedWrites: {} });
    expect(await storedPoints()).toBe(spooling.acknowledged.length);
  }

  async function storedPoints(): Promise<unknown> {
    const answer = await query('SELECT count(latency) FROM m');
    return answer.results[0].series[0].values[0][1];
  }

  async function query(q: string) {
    const url = `${influx.url}/query?db=tidemark&q=${encodeURIComponent(q)}`;
    const answer = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(10_000) });
    expect(answer.status).toBe(200);
    return JSON.parse(await answer.text());
  }
});

/** Load writes one batch after the other, as a batch writer does. */
class Load {
  private goes = true;
  private readonly running: Promise<void>;

  constructor(private readonly spooling: Spooling) {
    this.running = this.run();
  }

  /** Waits for so many further batches to be acknowledged. */
  async writes(count: number): Promise<void> {
    const until = this.spooling.acknowledged.length + count * BATCH;
    await waitFor('batches to be acknowledged', () => this.spooling.acknowledged.length >= until, 30_000);
  }

  /** Waits for so many further batches to be acknowledged into the spool. */
  async spooled(count: number): Promise<void> {
    const until = this.spooling.sink.stats().appendedPoints + count * BATCH;
    await waitFor('batches in the spool', () => this.spooling.sink.stats().appendedPoints >= until, 30_000);
  }

  async end(): Promise<void> {
    this.goes = false;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.goes) await this.spooling.write(BATCH);
  }
}
