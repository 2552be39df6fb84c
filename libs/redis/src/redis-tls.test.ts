import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun, freePort, Process, startRedis } from '@tidemark/servers';
import { expect, it, onTestFinished } from 'vitest';
import { waitFor } from './rig/wait-for.js';
import { openRedis, type RedisFault } from './open-redis.js';

const CLIENT = `
  import { openRedis } from '@tidemark/redis/open';
  const link = openRedis({ url: process.argv[1], role: 'producer', onFault: (fault) => console.log(fault) });
  if (await link.whenUp(10_000)) console.log(await link.client.set('k', 'v'));
  await link.close();
`;

it.skipIf(!canRun('redis-server'))(
  'a TLS connection is made to a certificate that is trusted, and to no other',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    const files = ['-keyout', key, '-out', certificate, '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', [...request, ...files], { stdio: 'ignore' });
    const port = await freePort();
    const tls = ['--tls-port', String(port), '--tls-cert-file', certificate, '--tls-key-file', key];
    const server = await startRedis({ args: [...tls, '--tls-auth-clients', 'no'] });
    onTestFinished(() => server.close());
    const url = `rediss://127.0.0.1:${port}`;

    const faults: RedisFault[] = [];
    const link = openRedis({ url, role: 'producer', onFault: (fault) => faults.push(fault) });
    onTestFinished(() => link.close());
    await waitFor('a fault', () => faults.length > 0);
    expect(faults).toEqual([{ kind: 'away', reason: expect.stringMatching(/self.signed/) }]);

    const env = { NODE_EXTRA_CA_CERTS: certificate };
    const args = ['--input-type=module', '-e', CLIENT, url];
    const trusting = Process.start({ command: process.execPath, args, env });
    expect((await trusting.exited).code).toBe(0);
    expect(trusting.output).toBe('OK\n');
  },
);
