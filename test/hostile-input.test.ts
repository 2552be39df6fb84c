import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, Json } from './rig/client.js';
import { figure, megabytes, milliseconds } from './rig/figure.js';
import { inference } from './rig/fixtures.js';
import { isFullLength } from './rig/length.js';
import { MemoryWatch } from './rig/memory-watch.js';
import { openPlatform, type Platform, PROFILES } from './rig/platform.js';
import { drained } from './rig/stored-points.js';

const MB = 1_048_576;

/** A gigabyte of zeros, compressed to a megabyte; it takes seconds to make, so each profile gets the same. */
let made: Promise<Buffer> | undefined;
function bomb(): Promise<Buffer> {
  return (made ??= makeBomb());
}

async function makeBomb(): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => gzip.once('end', resolve));
  const zeros = Buffer.alloc(8 * MB);
  for (let written = 0; written < 1024 * MB; written += zeros.length) {
    if (!gzip.write(zeros)) await new Promise((resolve) => gzip.once('drain', resolve));
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}

/** What a platform that nothing was done to answers. */
async function expectUnharmed(platform: Platform, requestId: string): Promise<void> {
  const api = platform.client();
  const answer = await api.post('metrics/inference', inference('sane', requestId, { tags: { a: 'b' } }));
  expect(answer.status).toBe(201);
  await drained(platform);
  const { metrics } = await api.must(api.get('metrics/inference?model_id=sane&limit=1'));
  expect(metrics[0]).toMatchObject({ request_id: requestId, tags: { a: 'b' }, values: {} });
  expect(Object.keys(metrics[0].tags)).toEqual(['a']);
}

describe.each(PROFILES)('hostile input, $name', (profile) => {
  let platform: Platform;
  let api: Client;
  beforeAll(async () => {
    platform = await profile.open();
    api = platform.client();
  }, 120_000);
  afterAll(() => platform.close());

  test('a gigabyte in a compressed megabyte is refused before it takes memory', async () => {
    const warm = Array.from({ length: 5000 }, (_, i) => inference('sane', `w${i}`));
    const packed = gzipSync(JSON.stringify({ metrics: warm }));
    for (let i = 0; i < 3 * platform.instances.length; i++) {
      const answer = await api.post('metrics/inference/batch', packed, { headers: { 'content-encoding': 'gzip' } });
      expect(answer.status).toBe(201);
    }
    // What refusing any body takes, that of one that is just too large takes as well.
    const tooLarge = gzipSync(Buffer.alloc(17 * MB, ' '));
    for (let i = 0; i < 3 * platform.instances.length; i++) {
      const answer = await api.post('metrics/inference/batch', tooLarge, { headers: { 'content-encoding': 'gzip' } });
      expect(answer.status).toBe(413);
    }
    await drained(platform);
    const body = await bomb();
    const memory = MemoryWatch.from(platform);
    const paths = ['metrics/inference/batch', 'metrics/inference', 'models'];
    for (const path of platform.instances.flatMap(() => paths)) {
      const answer = await api.post(path, body, { headers: { 'content-encoding': 'gzip' } });
      expect([path, answer.status, answer.json.code]).toEqual([path, 413, 'body_too_large']);
    }
    figure(`gzip bomb of 1 GB, memory taken, ${profile.name}`, megabytes(memory.peakBytes));
    expect(memory.peakBytes).toBeLessThan(32 * MB);
    await expectUnharmed(platform, 'after-bomb');
  });

  test('a body that is larger than it may be is refused, whether its length is told before or not', async () => {
    const sizes: [string, number][] = [
      ['metrics/inference/batch', 17 * MB],
      ['metrics/inference', 2 * MB],
      ['models', 2 * MB],
    ];
    const framings: Record<string, string>[] = [{}, { 'transfer-encoding': 'chunked' }];
    for (const [path, size] of sizes) {
      for (const headers of framings) {
        const body = `{"id":"${' '.repeat(size)}"}`;
        const answer = await api.post(path, body, { headers }).catch((error: NodeJS.ErrnoException) => error);
        // The answer comes while the body is still on its way; a client that goes on writing may find the door shut.
        if (answer instanceof Error) expect(['EPIPE', 'ECONNRESET']).toContain(answer.code);
        else expect([path, answer.status]).toEqual([path, 413]);
      }
    }
    await expectUnharmed(platform, 'after-large');
  });

  test.each<[string, () => string]>([
    ['half a million nested lists', () => '['.repeat(500_000)],
    ['half a million nested lists that close', () => '['.repeat(500_000) + ']'.repeat(500_000)],
    ['nested objects', () => '{"a":'.repeat(150_000) + '1' + '}'.repeat(150_000)],
    [
      'a million members',
      () => `{"metrics":[{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":1`).join(',')}}]}`,
    ],
    ['a proto member', () => '{"metrics":[{"__proto__":{"polluted":true},"model_id":"a"}]}'],
    ['an escaped proto member', () => '{"metrics":[{"\\u005f_proto__":{"polluted":true},"model_id":"a"}]}'],
    ['a constructor with a prototype', () => '{"metrics":[{"constructor":{"prototype":{"polluted":true}}}]}'],
    ['no JSON', () => '{"metrics":[{'],
    ['bytes that are no text', () => '\u0000\u0001\u0002'],
  ])('%s is refused at once, as JSON and as NDJSON', async (what, text) => {
    const body = text();
    const beginMs = performance.now();
    for (const path of ['metrics/inference/batch', 'metrics/drift/batch']) {
      const answer = await api.post(path, body);
      expect([400, 413, 422]).toContain(answer.status);
      const lines = await api.post(path, body, { headers: { 'content-type': 'application/x-ndjson' } });
      expect([400, 413, 422]).toContain(lines.status);
    }
    figure(`refused ${what}, four times, ${profile.name}`, milliseconds(performance.now() - beginMs));
    if (body.length < MB) expect([400, 413, 422]).toContain((await api.post('models', body)).status);
    await expectUnharmed(platform, `after-${what}`);
  });

  test.each([
    ['__proto__', '{"__proto__":"x"}'],
    ['constructor', '{"constructor":"x"}'],
    ['prototype', '{"prototype":"x"}'],
  ])('a tag or a value named %s is refused, and no other object has it afterwards', async (name, tags) => {
    const body = `{"model_id":"sane","model_type":"llm","request_id":"r","latency":1,"tags":${tags}}`;
    const answer = await api.post('metrics/inference', body);
    expect([400, 422]).toContain(answer.status);
    const values = body.replace('"tags"', '"values"').replace('"x"', '1');
    expect([400, 422]).toContain((await api.post('metrics/inference', values)).status);
    await expectUnharmed(platform, `after-${name}`);
  });

  test.each<[string, string, string, string]>([
    ['a tag named constructor', '"tags":{"constructor":"x"}', 'reserved_name', '/tags/constructor'],
    ['a tag named __proto__', '"tags":{"__proto__":"x"}', 'reserved_name', '/tags/__proto__'],
    ['a tag with an escaped name', '"tags":{"\\u005f_proto__":"x"}', 'reserved_name', '/tags/__proto__'],
    ['a value named constructor', '"values":{"constructor":1}', 'reserved_name', '/values/constructor'],
    ['a value named prototype', '"values":{"prototype":1}', 'reserved_name', '/values/prototype'],
    ['40 lists around each other', `"more":${'['.repeat(40)}${']'.repeat(40)}`, 'too_deep', ''],
    ['300 values', `"values":{${Array.from({ length: 300 }, (_, i) => `"k${i}":1`).join(',')}}`, 'too_many_keys', ''],
  ])('an item with %s is rejected alone, as JSON and as NDJSON', async (what, members, code, pointer) => {
    const good = (id: string) => ({
      inference: JSON.stringify(inference('beside', `${what} ${id}`)),
      drift: JSON.stringify({ model_id: 'beside', drift_type: 'data', severity: 'low', confidence: 0.5 }),
    });
    for (const kind of ['inference', 'drift'] as const) {
      // A drift has no values of its own, but a name is as hostile where nobody reads it.
      if (kind === 'drift' && what.includes('prototype')) continue;
      const [first, second] = [good('first')[kind], good('second')[kind]];
      const items = [first, `${first.slice(0, -1)},${members}}`, second];
      for (const [body, type] of [
        [`{"metrics":[${items.join(',')}]}`, 'application/json'],
        [items.join('\n'), 'application/x-ndjson'],
      ] as const) {
        const answer = await api.post(`metrics/${kind}/batch`, body, { headers: { 'content-type': type } });
        expect([kind, type, answer.status, answer.json]).toEqual([
          kind,
          type,
          207,
          { accepted: 2, rejected: [{ index: 1, pointer, code, message: expect.any(String) }] },
        ]);
      }
    }
    await expectUnharmed(platform, `beside-${what}`);
    const { metrics } = await api.must(api.get('metrics/inference?model_id=beside&limit=4'));
    expect(metrics.map(({ request_id }: Json) => request_id).sort()).toEqual(
      ['first', 'first', 'second', 'second'].map((id) => `${what} ${id}`),
    );
  });

  test('numbers that JSON cannot carry exactly are refused with the index of the item', async () => {
    const item = (latency: string): string =>
      `{"model_id":"numbers","model_type":"llm","request_id":"n","latency":${latency}}`;
    const refused = ['1e400', 'NaN', '"Infinity"', '"NaN"', '-0', '9007199254740993', '"9007199254740993"'];
    for (const latency of refused) {
      const lines = [item('1'), item(latency), item('2')].join('\n');
      const answer = await api.post('metrics/inference/batch', lines, {
        headers: { 'content-type': 'application/x-ndjson' },
      });
      expect([latency, answer.status, answer.json.accepted]).toEqual([latency, 207, 2]);
      expect(answer.json.rejected.map(({ index }: { index: number }) => index)).toEqual([1]);
    }
    const exact = ['0.1', '1e-300', '1.7976931348623157e308', '9007199254740992', '123456789.123456789'];
    for (const latency of exact) {
      const values = `{"v":${latency},"minus":-0.0}`;
      const body = `{"model_id":"exact","model_type":"llm","request_id":"n${latency}","latency":${latency},"values":${values}}`;
      await api.must(api.post('metrics/inference', body));
    }
    await drained(platform);
    const { metrics } = await api.must(api.get('metrics/inference?model_id=exact'));
    // By name: what two instances take in the same millisecond has no order.
    const stored = metrics.map(({ request_id, latency, values }: Json) => [request_id, { latency, v: values.v }]);
    expect(Object.fromEntries(stored)).toEqual(
      Object.fromEntries(exact.map((text) => [`n${text}`, { latency: Number(text), v: Number(text) }])),
    );
    expect(metrics).toHaveLength(exact.length);
  });
});

describe.each(PROFILES)('an endless tag, $name', (profile) => {
  test('opens series up to the limit of each instance, and what exists goes on', { timeout: 300_000 }, async () => {
    const own = await openPlatform(profile);
    const client = own.client();
    await client.must(client.post('metrics/inference', inference('old', 'o1', { tags: { region: 'eu' } })));
    const memory = MemoryWatch.from(own);
    const distinct = isFullLength() ? 1_000_000 : 30_000;
    let accepted = 0;
    let limited = 0;
    for (let start = 0; start < distinct; start += 5000) {
      const metrics = Array.from({ length: 5000 }, (_, i) =>
        inference('old', `r${start + i}`, { tags: { id: `v${start + i}` } }),
      );
      const answer = await client.post('metrics/inference/batch', { metrics });
      if (answer.status === 429) {
        limited += metrics.length;
        expect(answer.json.code).toBe('series_limit');
        expect(answer.json.detail).toMatch(/active series/);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      } else {
        expect([201, 207]).toContain(answer.status);
        accepted += answer.json.accepted;
        limited += answer.json.rejected.length;
        for (const { code } of answer.json.rejected) expect(code).toBe('series_limit');
      }
    }
    // Ten thousand for one, of which one was there; each instance may admit as many until it hears of the others'.
    expect(accepted).toBeGreaterThanOrEqual(9999);
    expect(accepted).toBeLessThanOrEqual(own.instances.length * 10_000 - 1);
    expect(limited).toBe(distinct - accepted);
    for (const one of own.instances.map((url) => own.clientOf(url))) {
      const single = await one.post('metrics/inference', inference('old', 'new', { tags: { id: 'yet another' } }));
      expect([single.status, single.json.code]).toEqual([429, 'series_limit']);
      expect((await one.post('metrics/inference', inference('other-model', 'new'))).status).toBe(429);
      for (const tags of [{ region: 'eu' }, { id: 'v17' }, { id: 'v5017' }]) {
        const answer = await one.post('metrics/inference', inference('old', 'again', { tags }));
        expect([tags, answer.status]).toEqual([tags, 201]);
      }
    }
    figure(`${distinct} distinct values of a tag, memory taken, ${profile.name}`, megabytes(memory.keptBytes));
    expect(memory.keptBytes).toBeLessThan(200 * MB);
  });
});
