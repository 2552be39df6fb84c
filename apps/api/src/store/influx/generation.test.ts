import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { authorizationOf, generationOf, probeGeneration } from './generation.js';

describe('generationOf', () => {
  it.each([
    [{ 'x-influxdb-version': '1.6.7~rc0', 'x-influxdb-build': 'OSS' }, '1'],
    [{ 'x-influxdb-version': '1.12.2', 'x-influxdb-build': 'OSS' }, '1'],
    [{ 'x-influxdb-version': 'v2.7.12', 'x-influxdb-build': 'OSS' }, '2'],
    [{ 'x-influxdb-version': '2.0.9' }, '2'],
    [{ 'x-influxdb-version': 'dev', 'x-influxdb-build': 'OSS' }, '2'],
    [{ 'x-influxdb-version': '3.2.1', 'x-influxdb-build': 'Core' }, '3'],
    [{ 'cluster-uuid': 'c2a6' }, '3'],
    [{ server: 'nginx' }, null],
    [{ 'x-influxdb-version': '21.3' }, null],
  ] as const)('reads %j as %s', (headers, generation) => {
    expect(generationOf(headers)).toBe(generation);
  });
});

describe('authorizationOf', () => {
  it('takes a token, a user with a password, or nothing', () => {
    expect(authorizationOf('abc==')).toBe('Token abc==');
    expect(authorizationOf('me:secret')).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
    expect(authorizationOf('')).toBeNull();
  });
});

describe('probeGeneration', () => {
  const server = createServer();
  afterEach(() => server.removeAllListeners('request').close());

  async function probe(status: number, headers: Record<string, string>): Promise<string> {
    server.on('request', (_, answer) => answer.writeHead(status, headers).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return probeGeneration(`http://127.0.0.1:${port}`, 't', 5000);
  }

  it('asks /ping', async () => {
    expect(await probe(204, { 'x-influxdb-version': 'v2.7.12' })).toBe('2');
  });

  it('believes the headers of a refusal', async () => {
    expect(await probe(401, { 'x-influxdb-version': '3.0.1' })).toBe('3');
  });

  it('says what a server is not', async () => {
    await expect(probe(200, { server: 'nginx' })).rejects.toMatchObject({ kind: 'refused' });
  });

  it('says that nothing answers', async () => {
    await expect(probeGeneration('http://127.0.0.1:9', '', 5000)).rejects.toMatchObject({ kind: 'unreachable' });
  });
});
