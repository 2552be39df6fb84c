import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRedisUrl, type RedisTarget } from './redis-url.js';

const local = { kind: 'standalone', host: '127.0.0.1', port: 6379, db: 0, tls: false } as const;

const GOOD: readonly (readonly [string, RedisTarget])[] = [
  ['redis://127.0.0.1', local],
  ['redis://127.0.0.1/', local],
  ['redis://127.0.0.1:6380/3', { ...local, port: 6380, db: 3 }],
  ['redis://:secret@127.0.0.1', { ...local, password: 'secret' }],
  ['redis://me:p%40ss%2F%3A@127.0.0.1', { ...local, username: 'me', password: 'p@ss/:' }],
  ['redis://me:a@b@127.0.0.1', { ...local, username: 'me', password: 'a@b' }],
  ['rediss://cache.example.com', { ...local, host: 'cache.example.com', tls: true }],
  ['redis://[::1]:7000', { ...local, host: '::1', port: 7000 }],
  [
    'redis+sentinel://a,b:26380/main',
    {
      kind: 'sentinel',
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 26_380 },
      ],
      masterName: 'main',
      db: 0,
      tls: false,
    },
  ],
  [
    'rediss+sentinel://:pw@[::1]:1/main/2?sentinel_password=x%26y',
    {
      kind: 'sentinel',
      sentinels: [{ host: '::1', port: 1 }],
      masterName: 'main',
      db: 2,
      tls: true,
      password: 'pw',
      sentinelPassword: 'x&y',
    },
  ],
  [
    'redis+cluster://u:p@a:7000,b',
    {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
      tls: false,
      username: 'u',
      password: 'p',
    },
  ],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ['', /must be one of/],
  ['http://a', /must be one of/],
  ['redis://', /must name hosts/],
  ['redis://a b', /must name hosts/],
  ['redis://::1', /brackets/],
  ['redis://a:0', /port/],
  ['redis://a:65536', /port/],
  ['redis://a,b', /several hosts/],
  ['redis://a/x', /number of a database/],
  ['redis://a/1/2', /more than a database/],
  ['redis://a?db=1', /no options/],
  ['redis://secret@a', /without a password/],
  ['redis://:%zz@a', /encodes nothing/],
  ['redis+sentinel://a', /must name the master/],
  ['redis+sentinel://a/m/1/2', /more than a master/],
  ['redis+sentinel://a/m?password=x', /no option but/],
  ['redis+cluster://a/1', /one only/],
  ['redis+cluster://a,', /must name hosts/],
];

describe('readRedisUrl', () => {
  it.each(GOOD)('reads %s', (url, target) => {
    expect(readRedisUrl(url)).toEqual({ ok: true, target });
  });

  it.each(BAD)('says what is wrong with "%s"', (url, reason) => {
    expect(readRedisUrl(url)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('reads back any login, whatever its characters', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 });
    fc.assert(
      fc.property(
        text,
        text,
        fc.integer({ min: 1, max: 65_535 }),
        fc.integer({ min: 0, max: 99 }),
        (user, pw, port, db) => {
          const url = `redis://${encodeURIComponent(user)}:${encodeURIComponent(pw)}@h:${port}/${db}`;
          const target = { ...local, host: 'h', port, db, username: user, password: pw };
          expect(readRedisUrl(url)).toEqual({ ok: true, target });
        },
      ),
    );
  });

  it('never throws, and tells no part of a URL that it refuses', () => {
    const hosts = fc.string({ unit: fc.constantFrom(...'ab1:@,/?%[].=&') });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          hosts.map((rest) => `redis+sentinel://:geheim@${rest}`),
        ),
        (url) => {
          const read = readRedisUrl(url);
          if (!read.ok) expect(read.reason).not.toContain('geheim');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
