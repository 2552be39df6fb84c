import { beforeEach, describe, expect, it } from 'vitest';
import { BatchWriter, ONE_WRITE } from '../buffer/batch-writer.js';
import { Rings } from '../buffer/rings.js';
import { Telemetry } from '../platform/telemetry.js';
import { ManualClock, NOON } from '../rig/manual-clock.js';
import { evaluate, evaluateDrift } from '../rules/evaluate.js';
import type { WriteBatch } from '../store/point-store.js';
import { BatchBody, type MetricBody } from './body.js';
import { createIngest, type Kind, type Stages } from './ingest.js';
import { IngestDoor } from './ingest-door.js';
import { SeriesRegistry } from './series-registry.js';
import { Validator } from './validate.js';

const THRESHOLDS = { latency: 100, error_rate: 0.05, gpu_memory: 0.8, cpu_usage: 0.8, memory_usage: 0.8 };
const metric = (latency: number | string) => ({ model_id: 'm', model_type: 'llm', request_id: 'r', latency });
const body = (...items: unknown[]): MetricBody => new BatchBody(Buffer.from(JSON.stringify({ metrics: items })));

/** The path with its real stages up to a disk and an alert book that a test drives. */
class Path {
  readonly log: string[] = [];
  readonly disk: WriteBatch[] = [];
  readonly telemetry = new Telemetry();
  diskFault: Error | null = null;
  raiseFault: Error | null = null;
  readonly clock = new ManualClock();
  readonly rings = new Rings({ points: 8, models: 8, newestStoredMs: NOON - 1000 });
  readonly writer = new BatchWriter({
    write: async (batch) => {
      await new Promise(setImmediate);
      if (this.diskFault) throw this.diskFault;
      this.disk.push(batch);
      this.log.push('stored');
    },
    maxBatchPoints: 100,
    concurrency: ONE_WRITE,
    maxQueuedPoints: 4,
    steadyMs: this.clock.steadyMs,
  });
  readonly door: IngestDoor;

  constructor() {
    const registry = new SeriesRegistry({ maxSeries: 10 });
    const validator = new Validator({ registry, clock: this.clock, maxAgeMs: 1e9, lastSeq: 0 });
    const stages: Stages = {
      validate: (project, kind, given) => validator[kind](project, given),
      write: (entry) => this.writer.append(entry),
      remember: (points) => {
        this.log.push('remembered');
        this.rings.remember(points);
      },
      evaluate: (points, drifts) => [...evaluate(points, () => THRESHOLDS, 0), ...evaluateDrift(drifts, 0)],
      raise: async (breaches) => {
        await new Promise(setImmediate);
        if (this.raiseFault) throw this.raiseFault;
        this.log.push(...breaches.map(({ rule }) => `raised ${rule}`));
      },
      publish: (_project, points, drifts) => this.log.push(`published ${points.length + drifts.length}`),
      count: (kind, outcome, received) => this.telemetry.countIngest(kind, outcome, received),
    };
    this.door = new IngestDoor(createIngest(stages), stages);
  }

  send(kind: Kind, ...items: unknown[]) {
    return this.door.ingest({ project: 'p', kind, body: body(...items) });
  }

  async counted(): Promise<Record<string, number>> {
    const metrics = await this.telemetry.registry.getMetricsAsJSON();
    const names = ['received', 'stored', 'rejected', 'shed'];
    return Object.fromEntries(
      names.map((name) => {
        const found = metrics.find((one) => one.name === `tidemark_points_${name}_total`);
        return [name, (found?.values ?? []).reduce((sum, { value }) => sum + Number(value), 0)];
      }),
    );
  }
}

let path: Path;
beforeEach(() => (path = new Path()));

describe('ingest', () => {
  it('stores, remembers, raises and publishes in this order', async () => {
    expect(await path.send('inference', metric(500))).toEqual({ kind: 'accepted', accepted: 1, rejected: [] });
    expect(path.log).toEqual(['stored', 'remembered', 'raised latency', 'published 1']);
    expect(path.disk[0]?.points).toMatchObject([{ latency: 500, timestampMs: NOON }]);
    expect(path.rings.read('p', 'm', { sinceMs: NOON, untilMs: NOON + 1, limit: 5 })).toMatchObject({ covered: true });
  });

  it('raises nothing for a healthy metric', async () => {
    await path.send('inference', metric(100));
    expect(path.log).toEqual(['stored', 'remembered', 'published 1']);
  });

  it('takes drift the same way', async () => {
    const drift = { model_id: 'm', drift_type: 'concept', severity: 'high', confidence: 0.9 };
    await path.send('drift', drift, { ...drift, severity: 'low' });
    expect(path.log).toEqual(['stored', 'remembered', 'raised drift_concept', 'published 2']);
  });

  it('stores the valid items of a batch and tells of the others', async () => {
    const outcome = await path.send('inference', metric(1), metric('fast'), metric(2));
    expect(outcome).toMatchObject({ kind: 'accepted', accepted: 2, rejected: [{ index: 1, pointer: '/latency' }] });
    expect(await path.counted()).toEqual({ received: 3, stored: 2, rejected: 1, shed: 0 });
  });

  it('stores nothing of a batch without a valid item', async () => {
    expect(await path.send('inference', {}, null)).toMatchObject({ kind: 'invalid' });
    expect(path.log).toEqual([]);
    expect(await path.counted()).toEqual({ received: 2, stored: 0, rejected: 2, shed: 0 });
  });

  it('neither remembers nor raises what the disk refused', async () => {
    path.diskFault = new Error('EIO');
    expect(await path.send('inference', metric(500), {})).toMatchObject({ kind: 'failed', cause: path.diskFault });
    expect(path.log).toEqual([]);
    expect(path.rings.read('p', 'm', { sinceMs: NOON, untilMs: NOON + 1, limit: 5 })).toEqual({ covered: false });
    expect(await path.counted()).toEqual({ received: 2, stored: 0, rejected: 1, shed: 1 });
    path.diskFault = null;
    expect(await path.send('inference', metric(500))).toMatchObject({ kind: 'accepted' });
  });

  it('sheds what finds the queue full, and counts it', async () => {
    const outcomes = await Promise.all(Array.from({ length: 7 }, () => path.send('inference', metric(1))));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([...Array(4).fill('accepted'), ...Array(3).fill('full')]);
    expect(await path.counted()).toEqual({ received: 7, stored: 4, rejected: 0, shed: 3 });
  });

  it('refuses when the writer is closed', async () => {
    await path.writer.close();
    expect(await path.send('inference', metric(1))).toMatchObject({ kind: 'closed' });
    expect(await path.counted()).toMatchObject({ received: 1, shed: 1 });
  });

  it('acknowledges no metric whose alert could not be committed', async () => {
    path.raiseFault = new Error('the state is away');
    expect(await path.send('inference', metric(500))).toMatchObject({ kind: 'unraised', cause: path.raiseFault });
    expect(path.log).toEqual(['stored', 'remembered']);
    expect(await path.counted()).toEqual({ received: 1, stored: 1, rejected: 0, shed: 0 });
  });

  it('writes the record of an answer with its points, as it will be answered', async () => {
    const recordFor = (accepted: number, rejected: readonly unknown[]) => ({
      ...{ project: 'p', key: 'k', fingerprint: 'f', status: 207, createdMs: NOON },
      body: JSON.stringify([accepted, rejected.length]),
    });
    await path.door.ingest({ project: 'p', kind: 'inference', body: body(metric(1), {}), recordFor });
    expect(path.disk).toMatchObject([{ points: [{ latency: 1 }], records: [{ key: 'k', body: '[1,4]' }] }]);
  });

  it('raises the alerts of a request again without storing it again', async () => {
    await path.door.raiseAgain({ project: 'p', kind: 'inference', body: body(metric(500), metric(1)) });
    expect(path.log).toEqual(['raised latency']);
    expect(path.disk).toEqual([]);
  });
});
