import { describe, expect, it } from 'vitest';
import type { Access } from './access.js';
import { authenticate, type Caller, type KeyRing, presentedKey } from './auth.js';
import { OPERATOR, type Principal } from './principal.js';
import { HttpProblem } from './problem.js';

const noKeys: KeyRing = { isEmpty: () => true, verify: async () => null };
const holders: Readonly<Record<string, Principal>> = {
  reader: { project: 'p', scopes: ['read'], keyId: '1' },
  writer: { project: 'p', scopes: ['write'], keyId: '2' },
  admin: { project: 'p', scopes: ['admin'], keyId: '3' },
};
const keys: KeyRing = { isEmpty: async () => false, verify: async (key) => holders[key] ?? null };
const local = (headers: Caller['headers'] = {}, remoteAddress: string | undefined = '127.0.0.1'): Caller => ({
  headers: { host: 'localhost:8000', ...headers },
  remoteAddress,
});

async function outcome(
  caller: Caller,
  access: Access,
  ring: KeyRing,
  allowedOrigins: readonly string[] = [],
): Promise<string> {
  try {
    const principal = await authenticate(caller, access, ring, { allowedOrigins });
    return principal === OPERATOR ? 'operator' : `key ${principal.keyId}`;
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (error.status === 401) expect(error.headers['www-authenticate']).toBe('Bearer realm="tidemark"');
    return `${error.status} ${error.code}`;
  }
}

describe('authenticate with keys', () => {
  it.each([
    ['read', 'reader', 'key 1'],
    ['write', 'reader', '403 forbidden'],
    ['admin', 'reader', '403 forbidden'],
    ['read', 'writer', '403 forbidden'],
    ['write', 'writer', 'key 2'],
    ['read', 'admin', 'key 3'],
    ['write', 'admin', 'key 3'],
    ['admin', 'admin', 'key 3'],
    ['read', 'unknown', '401 unauthenticated'],
    ['public', 'unknown', 'operator'],
  ] as const)('lets the %s route answer the key "%s": %s', async (access, key, wanted) => {
    expect(await outcome(local({ authorization: `Bearer ${key}` }), access, keys)).toBe(wanted);
    expect(await outcome(local({ 'x-api-key': key }), access, keys)).toBe(wanted);
  });

  it('asks this machine for a key too, and no caller for a name of it', async () => {
    expect(await outcome(local(), 'read', keys)).toBe('401 unauthenticated');
    const elsewhere = local(
      { host: 'tidemark.example', origin: 'https://example.com', 'x-api-key': 'reader' },
      '203.0.113.5',
    );
    expect(await outcome(elsewhere, 'read', keys)).toBe('key 1');
  });

  it('lets everybody at what is public', async () => {
    expect(await outcome(local({ host: 'evil.example' }, '203.0.113.5'), 'public', noKeys)).toBe('operator');
  });
});

describe('authenticate without keys', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('serves a peer at %s', async (address) => {
    expect(await outcome(local({}, address), 'admin', noKeys)).toBe('operator');
  });

  it.each(['10.0.0.1', '192.168.1.2', '203.0.113.5', '::ffff:10.0.0.1', 'fe80::1', '2001:db8::1', '0.0.0.0', ''])(
    'refuses a peer at "%s"',
    async (address) => {
      expect(await outcome(local({}, address), 'read', noKeys)).toBe('401 unauthenticated');
    },
  );

  it('refuses a peer without an address', async () => {
    expect(await outcome({ headers: { host: 'localhost' }, remoteAddress: undefined }, 'read', noKeys)).toBe(
      '401 unauthenticated',
    );
  });

  it.each([
    'localhost',
    'localhost:8000',
    'LOCALHOST',
    '127.0.0.1',
    '127.0.0.1:8000',
    '127.1.2.3',
    '[::1]',
    '[::1]:8000',
  ])('serves the host %s', async (host) => {
    expect(await outcome(local({ host }), 'read', noKeys)).toBe('operator');
  });

  it.each([
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1.nip.io',
    'localhost@evil.example',
    'evil.example#localhost',
    'evil.example:8000',
    '192.168.1.2',
    '0.0.0.0',
    '[::2]',
    'local host',
    'localhost:port',
  ])('refuses the host "%s", which a page could point here', async (host) => {
    expect(await outcome(local({ host }), 'read', noKeys)).toBe('403 bad_host');
  });

  it.each([
    [{ 'x-forwarded-for': '127.0.0.1' }, 'operator'],
    [{ 'x-forwarded-for': '127.0.0.1, ::1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'localhost' }, 'operator'],
    [{ 'x-forwarded-for': '203.0.113.5' }, '403 proxied'],
    [{ 'x-forwarded-for': '127.0.0.1, 203.0.113.5' }, '403 proxied'],
    [{ 'x-forwarded-for': '203.0.113.5, 127.0.0.1' }, '403 proxied'],
    [{ 'x-forwarded-for': '' }, '403 proxied'],
    [{ 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1' }, '403 proxied'],
    [{ 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' }, '403 proxied'],
    [{ 'x-forwarded-proto': 'https' }, '403 proxied'],
  ])('asks for whom a proxy of this machine speaks: %o is %s', async (headers, wanted) => {
    expect(await outcome(local(headers), 'read', noKeys)).toBe(wanted);
  });

  it.each([
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-anything',
    'x-real-ip',
    'cf-connecting-ip',
    'true-client-ip',
  ])('refuses a request that carries %s, even empty, because a proxy may speak for anyone', async (name) => {
    expect(await outcome(local({ [name]: '203.0.113.5' }), 'read', noKeys)).toBe('403 proxied');
    expect(await outcome(local({ [name]: '' }), 'read', noKeys)).toBe('403 proxied');
    expect(await outcome(local({ [name]: 'x', 'x-api-key': 'made-up' }), 'read', noKeys)).toBe('403 proxied');
    expect(await outcome(local({ [name]: 'x' }), 'public', noKeys)).toBe('operator');
    expect(await outcome(local({ [name]: 'x', 'x-api-key': 'reader' }), 'read', keys)).toBe('key 1');
  });

  it('refuses a request without a host', async () => {
    expect(await outcome({ headers: {}, remoteAddress: '::1' }, 'read', noKeys)).toBe('403 bad_host');
  });

  it.each([
    'http://localhost:3000',
    'http://127.0.0.1',
    'https://localhost',
    'http://[::1]:5173',
    'https://dash.example',
  ])('serves a page of %s', async (origin) => {
    expect(await outcome(local({ origin }), 'write', noKeys, ['https://dash.example'])).toBe('operator');
  });

  it.each([
    'https://evil.example',
    'http://localhost.evil.example',
    'null',
    '',
    'https://dash.example.evil',
    'http://dash.example',
    'file://',
    'chrome-extension://abc',
  ])('refuses a page of "%s"', async (origin) =>
    expect(await outcome(local({ origin }), 'write', noKeys, ['https://dash.example'])).toBe('403 bad_host'),
  );
});

describe('presentedKey', () => {
  it.each([
    [{ authorization: 'Bearer abc' }, 'abc'],
    [{ authorization: 'bearer  abc' }, 'abc'],
    [{ authorization: 'Bearer abc', 'x-api-key': 'def' }, 'abc'],
    [{ authorization: 'Basic YTpi', 'x-api-key': 'def' }, 'def'],
    [{ 'x-api-key': 'def' }, 'def'],
    [{ 'x-api-key': '' }, null],
    [{ authorization: 'Bearer' }, null],
    [{ authorization: 'Bearer a b' }, null],
    [{ authorization: 'abc' }, null],
    [{}, null],
  ])('reads %j as %j', (headers, wanted) => {
    expect(presentedKey(headers)).toBe(wanted);
  });
});
