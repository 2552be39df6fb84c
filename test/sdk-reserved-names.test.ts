import { type DropReport, type RejectReport, Tidemark } from '@tidemark/sdk';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPlatform, type Platform, PROFILES } from './rig/platform.js';
import { drained, storedIds } from './rig/stored-points.js';

/** Names as a host may have them from anywhere: a literal `__proto__` in its source would be no member. */
const NAMES = ['__proto__', 'constructor', 'prototype'];

function named(name: string, value: unknown): Record<string, never> {
  return JSON.parse(`{"${name}":${JSON.stringify(value)}}`);
}

function openClient(platform: Platform) {
  const drops: DropReport[] = [];
  const rejects: RejectReport[] = [];
  const tidemark = new Tidemark({
    url: platform.url,
    warn: false,
    onDrop: (report) => drops.push(report),
    onReject: (report) => rejects.push(report),
  });
  onTestFinished(async () => void (await tidemark.close()));
  return { tidemark, drops, rejects };
}

describe.each(PROFILES)('an SDK that is given reserved names, $name', (profile) => {
  test('refuses the point itself, and all that was recorded beside it is stored', async () => {
    const platform = await openPlatform(profile);
    const { tidemark, drops, rejects } = openClient(platform);
    const point = { modelId: 'm', modelType: 'llm', latencyMs: 1 } as const;
    const drift = { modelId: 'm', driftType: 'data', severity: 'low', confidence: 0.5 } as const;
    tidemark.record({ ...point, requestId: 'first' });
    for (const name of NAMES) {
      tidemark.record({ ...point, requestId: `tag ${name}`, tags: named(name, 'x') });
      tidemark.record({ ...point, requestId: `value ${name}`, values: named(name, 1) });
      tidemark.drift({ ...drift, tags: named(name, 'x') });
    }
    tidemark.record({ ...point, requestId: 'last' });
    tidemark.drift(drift);
    expect(await tidemark.close(30_000)).toEqual({ outcome: 'drained' });
    expect(tidemark.stats()).toMatchObject({
      recorded: 12,
      accepted: 3,
      rejected: 9,
      rejectedBy: { invalid: 9 },
      dropped: 0,
    });
    expect(rejects).toEqual([]);
    expect(drops.reduce((sum, { count }) => sum + count, 0)).toBe(9);
    for (const { reason, message } of drops) {
      expect([reason, message]).toEqual(['invalid', expect.stringMatching(/^(tags|values) must .*constructor/)]);
    }
    await drained(platform);
    expect((await storedIds(platform.client())).sort()).toEqual(['first', 'last']);
  });

  test('leaves them out of observed calls, whose points are stored', async () => {
    const platform = await openPlatform(profile);
    const { tidemark, drops, rejects } = openClient(platform);
    const call = tidemark.observe((requestId: string) => requestId, {
      modelId: 'm',
      modelType: 'llm',
      requestId: (args) => args[0],
      tags: () => ({ ...named('constructor', 'x'), region: 'eu' }),
      values: { ...named('prototype', 1), tokens: 7 },
    });
    for (const id of ['a', 'b', 'c']) call(id);
    expect(await tidemark.close(30_000)).toEqual({ outcome: 'drained' });
    // Once for the values, which are read when observing begins, and with each call for the tags.
    expect(tidemark.stats()).toMatchObject({ recorded: 3, accepted: 3, rejected: 0, annotationErrors: 4 });
    expect([drops, rejects]).toEqual([[], []]);
    const api = platform.client();
    await drained(platform);
    const { metrics } = await api.must(api.get('metrics/inference?model_id=m&limit=3'));
    for (const metric of metrics) expect(metric).toMatchObject({ tags: { region: 'eu' }, values: { tokens: 7 } });
    expect(metrics).toHaveLength(3);
  });
});
