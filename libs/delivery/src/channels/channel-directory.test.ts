import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerBench } from '../rig/ledger-bench.js';
import { seal } from '../secrets/seal.js';
import { createAddressGuard } from './address-guard.js';
import { ChannelDirectory } from './channel-directory.js';
import { systemResolve } from './guarded-connect.js';

describe('ChannelDirectory', () => {
  let bench: LedgerBench;
  beforeEach(async () => {
    bench = await LedgerBench.open();
  });
  afterEach(async () => {
    await bench.close();
  });
  const channelOf = async (id: string) => {
    const found = await bench.directory.find('default', id);
    return found.kind === 'open' ? found.channel : undefined;
  };

  it('keeps a channel open until its configuration changes', async () => {
    const id = await bench.addChannel({ kind: 'slack', url: 'https://hooks.example.org/a' });
    const first = await channelOf(id);
    expect(first).toBeDefined();
    expect(await channelOf(id)).toBe(first);
    const sealedConfig = seal('{"kind":"slack","url":"https://hooks.example.org/b"}', id, bench.key, randomBytes);
    await bench.channels.put({ project: 'default', id, name: id, kind: 'slack', sealedConfig, enabled: true }, 0);
    const second = await channelOf(id);
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
  });

  it('keeps no more channels open than it was told to', async () => {
    const deps = { http: bench.http, guard: createAddressGuard(), resolve: systemResolve, wallMs: Date.now };
    const small = new ChannelDirectory({ channels: bench.channels, key: bench.key, deps, maxOpen: 2 });
    const ids = await Promise.all(
      [1, 2, 3].map((n) => bench.addChannel({ kind: 'slack', url: `https://hooks.example.org/${n}` })),
    );
    const open = async (id = '') => {
      const found = await small.find('default', id);
      return found.kind === 'open' ? found.channel : undefined;
    };
    const first = await open(ids[0]);
    await open(ids[1]);
    expect(await open(ids[0])).toBe(first);
    await open(ids[2]);
    expect(await open(ids[0])).toBe(first);
    await small.close();
  });

  it('finds no channel of another project', async () => {
    const id = await bench.addChannel({ kind: 'slack', url: 'https://hooks.example.org/a' });
    expect(await bench.directory.find('other', id)).toMatchObject({ kind: 'reject' });
  });

  it.each([
    [
      'sealed for another channel',
      (key: Buffer) => seal('{"kind":"slack","url":"https://x.org"}', 'another', key, randomBytes),
    ],
    ['sealed with another key', () => seal('{}', 'c1', randomBytes(32), randomBytes)],
    ['not sealed at all', () => '{"kind":"slack","url":"https://x.org/planted"}'],
    ['no usable configuration', (key: Buffer) => seal('{"kind":"slack","url":"planted"}', 'c1', key, randomBytes)],
  ])('is worth a retry, without naming what is secret, when a channel is %s', async (_name, sealed) => {
    const sealedConfig = sealed(bench.key);
    await bench.channels.put(
      { project: 'default', id: 'c1', name: 'c', kind: 'slack', sealedConfig, enabled: true },
      0,
    );
    const found = await bench.directory.find('default', 'c1');
    expect(found).toMatchObject({ kind: 'retry' });
    expect(JSON.stringify(found)).not.toContain('planted');
  });

  it('is worth a retry when no mail server is configured yet', async () => {
    const id = await bench.addChannel({ kind: 'email', to: ['a@b.org'] });
    expect(await bench.directory.find('default', id)).toMatchObject({
      kind: 'retry',
      reason: expect.stringContaining('SMTP_URL'),
    });
  });
});
