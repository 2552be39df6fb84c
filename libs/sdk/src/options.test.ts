import { describe, expect, it } from 'vitest';
import { Tidemark } from './client.js';
import { resolveOptions } from './options.js';
import type { TidemarkOptions } from './options.js';

const URL_GIVEN = { url: 'http://127.0.0.1:8000' };

/** untyped stands for what a program without types may pass. */
function untyped(options: unknown): TidemarkOptions {
  const holder: { options?: TidemarkOptions } = {};
  Object.assign(holder, { options });
  return holder.options ?? URL_GIVEN;
}

describe('resolveOptions', () => {
  it.each([
    ['http://127.0.0.1:8000', 'http://127.0.0.1:8000/api/v1'],
    ['http://127.0.0.1:8000/', 'http://127.0.0.1:8000/api/v1'],
    ['https://ml.example/tidemark/', 'https://ml.example/tidemark/api/v1'],
    ['https://ml.example/api/v1/', 'https://ml.example/api/v1'],
  ])('makes of the url %s the base %s', (url, baseUrl) => {
    expect(resolveOptions({ url }).baseUrl).toBe(baseUrl);
    expect(resolveOptions({ url: new URL(url) }).baseUrl).toBe(baseUrl);
  });

  it('fills in the documented defaults', () => {
    expect(resolveOptions(URL_GIVEN)).toMatchObject({
      apiKey: undefined,
      flushIntervalMs: 1_000,
      maxBufferItems: 20_000,
      maxBatchItems: 1_000,
      gzipMinBytes: 4_096,
      requestTimeoutMs: 5_000,
      holdStatuses: [401, 403],
    });
  });

  it.each<[string, unknown]>([
    ['url', { url: 'localhost' }],
    ['url', { url: 'ftp://example.org' }],
    ['url', { url: '/api' }],
    ['url', {}],
    ['url', { url: 'http://user:secret@example.org' }],
    ['url', { url: 'http://example.org/?a=b' }],
    ['apiKey', { ...URL_GIVEN, apiKey: '' }],
    ['apiKey', { ...URL_GIVEN, apiKey: 'two\r\nlines' }],
    ['apiKey', { ...URL_GIVEN, apiKey: 7 }],
    ['maxBufferItems', { ...URL_GIVEN, maxBufferItems: -1 }],
    ['maxBufferItems', { ...URL_GIVEN, maxBufferItems: 0 }],
    ['maxBatchItems', { ...URL_GIVEN, maxBatchItems: 10_001 }],
    ['maxBatchBytes', { ...URL_GIVEN, maxBatchBytes: 1.5 }],
    ['flushIntervalMs', { ...URL_GIVEN, flushIntervalMs: Number.NaN }],
    ['requestTimeoutMs', { ...URL_GIVEN, requestTimeoutMs: '5' }],
    ['gzipMinBytes', { ...URL_GIVEN, gzipMinBytes: -1 }],
    ['holdStatuses', { ...URL_GIVEN, holdStatuses: [200] }],
    ['holdStatuses', { ...URL_GIVEN, holdStatuses: 401 }],
    ['onDrop', { ...URL_GIVEN, onDrop: 'loudly' }],
    ['fetch', { ...URL_GIVEN, fetch: {} }],
  ])('refuses a bad %s at construction, by name and as a TypeError', (name, options) => {
    const construct = (): unknown => new Tidemark(untyped(options));
    expect(construct).toThrow(TypeError);
    expect(construct).toThrow(`${name}: `);
  });

  it('names every fault at once', () => {
    expect(() => resolveOptions({ url: '', maxBatchItems: 0, breakerFailures: -3 })).toThrow(
      /url: .*maxBatchItems: .*breakerFailures: /,
    );
  });

  it('keeps the key out of what it throws and of what can be seen of a client', () => {
    expect(() => new Tidemark({ url: '', apiKey: 'planted-secret' })).toThrow(expect.not.stringContaining('planted'));
    expect(JSON.stringify(new Tidemark({ ...URL_GIVEN, apiKey: 'planted-secret' }))).not.toContain('planted');
  });
});
