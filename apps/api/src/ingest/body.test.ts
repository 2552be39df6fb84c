import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { MAX_BATCH_ITEMS } from '@tidemark/types';
import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../platform/problem.js';
import { BatchBody, decode, MalformedItem, parseJson, parseLines, singleBody } from './body.js';

const MB = 1024 * 1024;

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof HttpProblem) return error.code;
    throw error;
  }
  return 'accepted';
}

/** A gzip stream of one member that holds `megabytes` of zeros, without ever holding them. */
function bombOf(megabytes: number): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  const piece = deflateRawSync(Buffer.alloc(16 * MB), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat([header, ...Array<Buffer>(megabytes / 16).fill(piece)]);
}

describe('decode', () => {
  it.each([undefined, '', 'identity', 'IDENTITY'])('leaves a body of the encoding %j as it is', async (encoding) => {
    const body = Buffer.from('{}');
    expect(await decode(body, encoding, 10)).toBe(body);
  });

  it.each(['gzip', 'GZIP', ' gzip '])('inflates %j', async (encoding) => {
    expect((await decode(gzipSync('{"a":1}'), encoding, 100)).toString()).toBe('{"a":1}');
  });

  it('takes a body of exactly the limit, and none of one byte more', async () => {
    expect((await decode(gzipSync(Buffer.alloc(MB)), 'gzip', MB)).length).toBe(MB);
    expect(await codeOf(() => decode(gzipSync(Buffer.alloc(MB + 1)), 'gzip', MB))).toBe('body_too_large');
  });

  it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'x'.repeat(1000)])('refuses the encoding %s', async (encoding) => {
    expect(await codeOf(() => decode(Buffer.from('{}'), encoding, 100))).toBe('unsupported_media_type');
  });

  it.each([
    ['no gzip at all', Buffer.from('{"a":1}')],
    ['nothing', Buffer.alloc(0)],
    ['half of it', gzipSync('{"a":1}').subarray(0, 15)],
    ['a wrong checksum', Buffer.from(gzipSync('{"a":1}')).fill(0, 19, 23)],
  ])('refuses %s', async (_what, body) => {
    expect(await codeOf(() => decode(body, 'gzip', 100))).toBe('malformed_body');
  });

  it.each([
    ['one member', bombOf(1024)],
    ['many members', Buffer.concat(Array<Buffer>(64).fill(gzipSync(Buffer.alloc(16 * MB))))],
  ])('stops a bomb of a gigabyte in %s at the limit, with little memory', async (_what, bomb) => {
    const script = fileURLToPath(new URL('./rig/inflate-bomb.mjs', import.meta.url));
    const built = new URL('../../dist/ingest/body.js', import.meta.url).href;
    const child = spawn(process.execPath, [script, built, String(16 * MB)], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(bomb);
    const { code, grownBytes } = JSON.parse(await text(child.stdout));
    expect(code).toBe('body_too_large');
    expect(grownBytes).toBeLessThanOrEqual(32 * MB);
  });
});

describe('parseJson', () => {
  const parse = (json: string) => parseJson(Buffer.from(json));

  it('parses what is within bounds', () => {
    expect(parse('{"a":[1,{"b":"ü \\u00fc"}]}')).toEqual({ a: [1, { b: 'ü ü' }] });
  });

  it.each([
    ['deep', '['.repeat(500_000), 'too_deep'],
    ['wide', `{${Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":0`).join(',')}}`, 'too_many_keys'],
    ['cut short', '{"a":', 'malformed_body'],
    ['empty', '', 'malformed_body'],
    ['followed by more', '{} {}', 'malformed_body'],
    ['what only JavaScript takes', "{'a':NaN}", 'malformed_body'],
  ])('refuses a text that is %s', async (_what, json, code) => {
    expect(await codeOf(() => parse(json))).toBe(code);
  });

  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"a":[{"b":{"__proto__":null}}]}',
    '{"\\u005f\\u005fproto\\u005f\\u005f":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"constructor":1}',
    '{"a":{"c\\u006fnstructor":{"prototype":{"polluted":1}}}}',
  ])('refuses %s, and pollutes nothing', async (json) => {
    expect(await codeOf(() => parse(json))).toBe('malformed_body');
    expect(parseLines(Buffer.from(json)).items).toEqual([expect.any(MalformedItem)]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each(['{"a":"__proto__"}', '{"__proto":1,"constructors":2}', '["constructor"]', '{"a":"\\u005f"}'])(
    'takes %s, which names no prototype',
    (json) => expect(parse(json)).toEqual(JSON.parse(json)),
  );

  it('refuses bytes that are no UTF-8, because two names could become one', async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expect(await codeOf(() => parseJson(bytes))).toBe('malformed_body');
    expect(parseLines(bytes).items).toEqual([expect.any(MalformedItem)]);
  });
});

describe('parseLines', () => {
  const items = (ndjson: string) => parseLines(Buffer.from(ndjson)).items;

  it.each([
    ['nothing', '', []],
    ['one line', '{"a":1}', [{ a: 1 }]],
    ['a last line with its end', '1\n2\n', [1, 2]],
    ['lines of Windows', '1\r\n2\r\n', [1, 2]],
    ['empty lines', '\n\n1\n\r\n\n2', [1, 2]],
  ])('reads %s', (_what, ndjson, wanted) => {
    expect(items(ndjson)).toEqual(wanted);
  });

  it('goes on after a line that is not valid', () => {
    expect(items(`1\n{"a":\n${'['.repeat(100)}\n  \n2`)).toEqual([1, ...Array(3).fill(expect.any(MalformedItem)), 2]);
  });

  it('takes as many items as a batch may hold and no more', async () => {
    expect(items('1\n'.repeat(MAX_BATCH_ITEMS))).toHaveLength(MAX_BATCH_ITEMS);
    expect(await codeOf(() => items('1\n'.repeat(MAX_BATCH_ITEMS + 1)))).toBe('body_too_large');
  });

  it('walks a line of megabytes without an end once', () => {
    expect(items(`{"a":"${'\\"'.repeat(4_000_000)}`)).toEqual([expect.any(MalformedItem)]);
  });
});

describe('a batch as JSON', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const wide = (members: number) => `{${Array.from({ length: members }, (_, i) => `"k${i}":${i}`).join(',')}}`;
  const batchOf = (...items: string[]) => new BatchBody(Buffer.from(`{"more":[],"metrics":[${items.join(',')}]}`));

  it.each<[string, string, string, string]>([
    ['__proto__', '{"__proto__":{"polluted":1}}', 'reserved_name', '/__proto__'],
    ['constructor', '{"tags":{"constructor":"x"}}', 'reserved_name', '/tags/constructor'],
    ['an escaped name', '{"a/b":[0,{"\\u005f_proto__":1}]}', 'reserved_name', '/a~1b/1/__proto__'],
    [
      'a name under a long one',
      `{"${'x'.repeat(5000)}":{"constructor":1}}`,
      'reserved_name',
      `/${'x'.repeat(64)}/constructor`,
    ],
    ['33 levels', deep(33), 'too_deep', ''],
    ['half a million levels', deep(500_000), 'too_deep', ''],
    ['257 members', wide(257), 'too_many_keys', ''],
    ['a million members', wide(1_000_000), 'too_many_keys', ''],
  ])('puts the fault of an item with %s in its place, as a line does', (_what, item, code, pointer) => {
    const batch = batchOf('{"a":9007199254740993}', item, '"last"');
    const bad = expect.objectContaining({ fault: { pointer, code, message: expect.any(String) } });
    expect(batch.items).toEqual([{ a: 2 ** 53 }, bad, 'last']);
    expect(parseLines(Buffer.from(`{"a":9007199254740993}\n${item}\n"last"`)).items[1]).toEqual(batch.items[1]);
    expect(batch.exactItem(0)).toEqual({ a: '9007199254740993' });
    expect(batch.exactItem(1)).toBe(batch.items[1]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('takes items at the bounds', () => {
    expect(batchOf(deep(32), wide(256)).items).toEqual([JSON.parse(deep(32)), JSON.parse(wide(256))]);
  });

  it('gives the items of the list that counts, where an escaped name hides one', () => {
    const text = `{"metrics":[${deep(40)}],"\\u006detrics":[1]}`;
    expect(new BatchBody(Buffer.from(text)).items).toEqual([1]);
  });

  it.each([
    ['a forbidden name beside the items', '{"metrics":[1],"constructor":1}', 'malformed_body'],
    ['a forbidden name further in beside the items', '{"a":[{"__proto__":1}],"metrics":[1]}', 'malformed_body'],
    ['a forbidden name and no items', '{"metrics":{"__proto__":1}}', 'malformed_body'],
    ['a forbidden name in a list', '[{"__proto__":1}]', 'malformed_body'],
    ['depth beside the items', `{"a":${deep(40)},"metrics":[${deep(40)}]}`, 'too_deep'],
    ['members beside the items', `{"a":${wide(300)},"metrics":[1]}`, 'too_many_keys'],
    ['a deep item without an end', `{"metrics":[1,${'['.repeat(500_000)}`, 'too_deep'],
    ['two lists of metrics, one with a deep item', `{"metrics":[1],"metrics":[${deep(40)}]}`, 'too_deep'],
    ['no JSON beside a deep item', `{"metrics":[${deep(40)},x]}`, 'malformed_body'],
    [
      'more deep items than a batch may hold',
      `{"metrics":[${Array(10_001).fill(deep(40)).join(',')}]}`,
      'body_too_large',
    ],
  ])('refuses as a whole %s', async (_what, text, code) => {
    expect(await codeOf(() => new BatchBody(Buffer.from(text)).items)).toBe(code);
  });
});

describe('exactItem', () => {
  it('gives the digits of integers that no double holds, of the item asked for', () => {
    const source = Buffer.from('{"metrics":[{"a":1},{"a":9007199254740993}]}');
    const body = new BatchBody(source);
    expect([body.exactItem(0), body.exactItem(1)]).toEqual([{ a: 1 }, { a: '9007199254740993' }]);
    expect(singleBody({ a: 2 ** 53 }, Buffer.from('{"a":9007199254740993}')).exactItem(0)).toEqual({
      a: '9007199254740993',
    });
  });

  it('gives the item itself where there is no text', () => {
    expect(singleBody(undefined, Buffer.alloc(0)).exactItem(0)).toBeUndefined();
  });

  it('refuses more items than a batch may hold', async () => {
    const metrics = Array<number>(MAX_BATCH_ITEMS + 1).fill(1);
    const body = new BatchBody(Buffer.from(JSON.stringify({ metrics })));
    expect(await codeOf(() => body.items)).toBe('body_too_large');
  });
});
