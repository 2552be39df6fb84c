import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAddressGuard, parseAllowList } from './address-guard.js';

const refusal = (address: string): string | undefined =>
  createAddressGuard().refusal({ host: 'x.example', address, port: 443 });

describe('createAddressGuard', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::808:808',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2001:1ff::1',
    '2002:a00:1::1',
    '2002:808:808::1',
    '3fff::1',
    '4000::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('refuses %s', (address) => {
    expect(refusal(address)).toBeDefined();
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
  ])('lets %s through', (address) => {
    expect(refusal(address)).toBeUndefined();
  });

  it('judges an IPv4 address the same however it is wrapped', () => {
    fc.assert(
      fc.property(fc.ipV4(), (v4) => {
        const plain = refusal(v4) === undefined;
        expect(refusal(`::ffff:${v4}`) === undefined).toBe(plain);
        expect(refusal(`64:ff9b::${v4}`) === undefined).toBe(plain);
      }),
    );
  });

  it('lets a whole network through where the list says so, mapped or not', () => {
    const allowed = parseAllowList(['10.0.0.0/8', 'fd00::/8']);
    const guard = createAddressGuard(allowed.ok ? allowed.rules : []);
    const open = (address: string) => guard.refusal({ host: 'h', address, port: 1 }) === undefined;
    expect(['10.9.8.7', '::ffff:10.9.8.7', 'fd99::1'].map(open)).toEqual([true, true, true]);
    expect(['11.0.0.1', '192.168.0.1', 'fc00::1'].map(open)).toEqual([true, false, false]);
  });
});

describe('parseAllowList', () => {
  it.each([
    ['10.0.0.0/8', { kind: 'network', address: '10.0.0.0', prefix: 8 }],
    ['192.168.1.5', { kind: 'network', address: '192.168.1.5', prefix: 32 }],
    ['127.0.0.1:9000', { kind: 'network', address: '127.0.0.1', prefix: 32, port: 9000 }],
    ['fd00::/8', { kind: 'network', address: 'fd00::', prefix: 8 }],
    ['::1', { kind: 'network', address: '::1', prefix: 128 }],
    ['[::1]:9000', { kind: 'network', address: '::1', prefix: 128, port: 9000 }],
    [' Hooks.Internal:8080 ', { kind: 'host', host: 'hooks.internal', port: 8080 }],
    ['hooks', { kind: 'host', host: 'hooks' }],
  ])('reads %s', (entry, rule) => {
    expect(parseAllowList([entry])).toEqual({ ok: true, rules: [rule] });
  });

  it.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '300.1.1.1',
    'http://x',
    'x:0',
    'x:65536',
    'x/8',
    'a b',
    '*.x',
    '1.2.3',
  ])('refuses "%s"', (entry) => {
    expect(parseAllowList([entry])).toMatchObject({ ok: false });
  });

  it('reports every bad entry', () => {
    const result = parseAllowList(['10.0.0.0/8', 'x y', '1.2.3']);
    expect(!result.ok && result.faults).toHaveLength(2);
  });
});
