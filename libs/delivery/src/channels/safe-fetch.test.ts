import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpReceiver, openHttpReceiver } from '../rig/http-receiver.js';
import { createAddressGuard, parseAllowList } from './address-guard.js';
import type { Resolve } from './guarded-connect.js';
import { openSafeFetch, type SafeFetch, type SafeFetchOptions } from './safe-fetch.js';

const noSignal = (): AbortSignal => new AbortController().signal;
const post = (url: string) => ({ url, method: 'POST', headers: {}, body: '{}' }) as const;
const guardWith = (...allow: string[]) => {
  const allowed = parseAllowList(allow);
  if (!allowed.ok) throw new Error(allowed.faults.join());
  return createAddressGuard(allowed.rules);
};
const resolveTo =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

const opened: SafeFetch[] = [];
const open = (options: Partial<SafeFetchOptions> = {}): SafeFetch => {
  const guard = createAddressGuard();
  const http = openSafeFetch({ guard, resolve: resolveTo('127.0.0.1'), timeoutMs: 5000, ...options });
  opened.push(http);
  return http;
};

let receiver: HttpReceiver;
beforeEach(async () => {
  receiver = await openHttpReceiver();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((http) => http.close()));
  await receiver.close();
});

describe('SafeFetch with nothing allowed', () => {
  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.0.0.1:PORT/@example.org',
    'http://127.1:PORT/',
    'http://127.255.255.254:PORT/',
    'http://0.0.0.0:PORT/',
    'http://0:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://１２７.0.0.1:PORT/',
    'http://127。0。0。1:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://[::1]:PORT/',
    'http://[0:0:0:0:0:0:0:1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://localhost:PORT/',
    'http://LOCALHOST.:PORT/',
    'http://user@127.0.0.1:PORT/',
    'http://user:pass@localhost:PORT/',
    'http://example.org@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT\\@example.org/',
    'ftp://127.0.0.1:PORT/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'gopher://127.0.0.1:PORT/',
    '//127.0.0.1:PORT/',
    'http://',
    '',
  ])('refuses %s and connects to nothing', async (url) => {
    const outcome = await open().fetch(post(url.replace('PORT', String(receiver.port))), noSignal());
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(receiver.connections()).toBe(0);
  });

  it.each([
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['fe80::1%lo'],
    ['fd00::1'],
    ['64:ff9b::7f00:1'],
    ['93.184.216.34', '127.0.0.1'],
    ['2606:2800:220:1::1', '::1'],
  ])('refuses a name that leads to %s', async (...addresses) => {
    const http = open({ resolve: resolveTo(...addresses) });
    const outcome = await http.fetch(post(`http://hooks.example.org:${receiver.port}/`), noSignal());
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(receiver.connections()).toBe(0);
  });

  it('refuses a name that leads inside over https too', async () => {
    const outcome = await open().fetch(post(`https://hooks.example.org:${receiver.port}/`), noSignal());
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(receiver.connections()).toBe(0);
  });

  it('reports a name without an address as a failure, which may pass', async () => {
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    const http = open({ resolve: () => Promise.reject(unknown) });
    expect(await http.fetch(post('http://nowhere.example/'), noSignal())).toEqual({
      kind: 'failed',
      reason: 'ENOTFOUND: the host name has no address: check how it is spelt',
    });
    const empty = open({ resolve: resolveTo() });
    expect(await empty.fetch(post('http://nowhere.example/'), noSignal())).toMatchObject({ kind: 'failed' });
  });
});

describe('SafeFetch against DNS rebinding', () => {
  it('judges the address of every connection, however the name resolved before', async () => {
    const outside = await openHttpReceiver('127.0.0.2', receiver.port);
    outside.answerWith((response) => response.writeHead(200, { connection: 'close' }).end());
    const answers = ['127.0.0.2', '127.0.0.1'];
    let lookups = 0;
    const http = open({
      guard: guardWith('127.0.0.2'),
      resolve: () => Promise.resolve([{ address: answers[lookups++] ?? '127.0.0.1', family: 4 }]),
    });
    const url = `http://rebind.example.org:${receiver.port}/`;
    expect(await http.fetch(post(url), noSignal())).toMatchObject({ kind: 'response' });
    expect(lookups).toBe(1);
    expect(await http.fetch(post(url), noSignal())).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('127.0.0.1 is not a public address'),
    });
    expect(outside.requests).toHaveLength(1);
    expect(receiver.connections()).toBe(0);
    await outside.close();
  });
});

describe('SafeFetch with an allow-list', () => {
  it.each(['127.0.0.0/8', '127.0.0.1', '127.0.0.1:PORT', 'hooks.internal', 'hooks.internal:PORT', 'HOOKS.internal'])(
    'reaches what "%s" names',
    async (entry) => {
      const http = open({ guard: guardWith(entry.replace('PORT', String(receiver.port))) });
      const outcome = await http.fetch(post(`http://hooks.internal:${receiver.port}/`), noSignal());
      expect(outcome).toMatchObject({ kind: 'response', response: { status: 200, body: 'ok' } });
    },
  );

  it.each(['10.0.0.0/8', '127.0.0.1:1', 'hooks.internal:1', 'other.internal', 'internal', '127.0.0.2/32', '::/0'])(
    'still refuses what "%s" does not name',
    async (entry) => {
      const http = open({ guard: guardWith(entry) });
      const outcome = await http.fetch(post(`http://hooks.internal:${receiver.port}/`), noSignal());
      expect(outcome).toMatchObject({ kind: 'refused' });
      expect(receiver.connections()).toBe(0);
    },
  );

  it('never follows a redirect, not even to an allowed place', async () => {
    receiver.answerWith((response) => response.writeHead(307, { location: receiver.url }).end());
    const http = open({ guard: guardWith('127.0.0.1') });
    const outcome = await http.fetch(post(receiver.url), noSignal());
    expect(outcome).toMatchObject({ kind: 'response', response: { status: 307 } });
    expect(receiver.requests).toHaveLength(1);
  });

  it('reads no more of an answer than it was told to', async () => {
    receiver.answerWith((response) => response.writeHead(200).end('x'.repeat(1_000_000)));
    const http = open({ guard: guardWith('127.0.0.1'), maxBodyBytes: 1000 });
    const outcome = await http.fetch(post(receiver.url), noSignal());
    expect(outcome).toMatchObject({ kind: 'response', response: { truncated: true, body: 'x'.repeat(1000) } });
  });

  it('bounds an answer after decompression', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    receiver.answerWith((response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const outcome = await open({ guard: guardWith('127.0.0.1') }).fetch(post(receiver.url), noSignal());
    expect(outcome).toMatchObject({ kind: 'response', response: { truncated: true } });
    expect(outcome.kind === 'response' && outcome.response.body.length).toBe(65_536);
  });

  it('gives up on a body that trickles for longer than the whole exchange may take', async () => {
    receiver.answerWith((response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const http = open({ guard: guardWith('127.0.0.1'), timeoutMs: 200 });
    expect(await http.fetch(post(receiver.url), noSignal())).toEqual({
      kind: 'failed',
      reason: 'no answer within 200 ms',
    });
  });

  it('gives up on a look-up that never ends', async () => {
    const http = open({ resolve: () => new Promise(() => undefined), timeoutMs: 200 });
    expect(await http.fetch(post('http://slow.example.org/'), noSignal())).toMatchObject({ kind: 'failed' });
  });
});
