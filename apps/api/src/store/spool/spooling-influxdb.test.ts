import { describe, expect, it } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import type { InfluxConnection } from '../influx/influx-connection.js';
import { columnOf } from '../influx/query-answer.js';
import { canRunInfluxDb, influxRig } from '../influx/rig/influx-rig.js';
import { Spooling } from './rig/spooling.js';
import type { SpoolingSinkOptions } from './spooling-sink.js';

const BATCH = 20;

describe.skipIf(!canRunInfluxDb())('a spooling sink before InfluxDB', () => {
  const rig = influxRig();

  it('loses nothing while InfluxDB is killed twice under load and comes back', { timeout: 120_000 }, async () => {
    const { spooling, connection } = await open({ segmentBytes: 20_000 });
    const load = new Load(spooling);
    for (let round = 1; round <= 2; round++) {
      await load.writes(20);
      const episodes = spooling.told('back').length;
      await rig.server().kill();
      await load.spooled(50);
      await rig.server().start();
      await waitFor('the drainer to be done', () => spooling.told('back').length > episodes, 60_000);
    }
    await expectCountsEqual(spooling, load, connection);
  });

  it(
    'loses nothing while InfluxDB stands still with its connections open, and goes on',
    { timeout: 120_000 },
    async () => {
      const { spooling, connection } = await open();
      const load = new Load(spooling);
      await load.writes(20);
      rig.server().pause();
      await load.spooled(50);
      rig.server().resume();
      await waitFor('the drainer to be done', () => spooling.told('back').length > 0, 60_000);
      expect(new Set(spooling.told('away').map(({ fault }) => fault.kind))).toEqual(new Set(['timeout']));
      await expectCountsEqual(spooling, load, connection);
    },
  );

  it('finds by itself the points whose type another point has fixed already', async () => {
    const { spooling, connection } = await open();
    await spooling.write(10);
    const text = spooling.line(11).replace('=11', '="text"'); // in the same shard: each fixes its own types
    const lines = [text, spooling.line(12), 'no line at all', ''];
    await spooling.sink.write(Buffer.from(lines.join('\n')), 3);
    await waitFor('the drainer to be done', () => spooling.told('back').length > 0);
    expect(await storedPoints(connection)).toBe(11);
    expect(spooling.sink.stats().deadLetters.lines).toMatchObject({ bad_points: 2, beside_bad_points: 0 });
  });

  /** Opens a sink before a database of its own. */
  async function open(given: Partial<SpoolingSinkOptions> = {}) {
    const database = rig.newDatabase();
    await (await rig.open({ database })).close();
    const connection = rig.connect(database);
    const sink: SpoolingSinkOptions['sink'] = {
      writeLines: (lines, signal) => connection.write('raw', lines, signal),
    };
    return { connection, spooling: await Spooling.open(rig.server().url, { sink, ...given }) };
  }

  /** Every acknowledged point is there once; the load ends first. */
  async function expectCountsEqual(spooling: Spooling, load: Load, connection: InfluxConnection): Promise<void> {
    await load.end();
    await waitFor('the spool to be drained', () => spooling.sink.backlog().points === 0, 60_000);
    expect(spooling.sink.stats()).toMatchObject({ tornFrames: 0, refusedWrites: {} });
    expect(await storedPoints(connection)).toBe(spooling.acknowledged.length);
  }

  async function storedPoints(connection: InfluxConnection): Promise<unknown> {
    const [set] = await connection.query('raw', 'SELECT count("latency") FROM "m"');
    return set?.values[0]?.[columnOf(set, 'count')];
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
