import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ERROR_CODES } from '@tidemark/types';
import { describe, expect, onTestFinished, test } from 'vitest';
import { renderNginx, upstreamServers } from '../nginx/render.mjs';
import { freePort } from '@tidemark/servers';
import { Nginx } from './rig/nginx.js';
import { commandFault, skipUnless } from './rig/skip.js';

const run = promisify(execFile);
const read = (path: string): Promise<string> => readFile(new URL(`../${path}`, import.meta.url), 'utf8');
const NEEDED = { NGINX_RUN_DIR: '/run/nginx', NGINX_UPSTREAM: upstreamServers(['127.0.0.1:1']) };

describe('the template of nginx', () => {
  test('leaves no variable open, and takes no other', () => {
    expect(renderNginx(NEEDED)).not.toContain('${NGINX_');
    expect(() => renderNginx({ NGINX_RUN_DIR: '/run' })).toThrow('needs NGINX_UPSTREAM');
    expect(() => renderNginx({ ...NEEDED, NGINX_RATES: '1' })).toThrow('has no NGINX_RATES');
  });

  test('has its variables in the documentation', async () => {
    const template = await read('nginx/nginx.conf.template');
    const names = new Set([...template.matchAll(/\$\{(NGINX_[A-Z_]+)\}/g)].map(([, name = '']) => name));
    const listed = [...(await read('docs/deployment.md')).matchAll(/^\| `(NGINX_[A-Z_]+)`/gm)].map(([, name]) => name);
    expect(listed.sort()).toEqual([...names].sort());
  });

  test('answers problems with the codes, titles and statuses of the API', async () => {
    const problems = (await read('nginx/nginx.conf.template')).matchAll(/return (\d+) '(\{"type".*\})';/g);
    const codes = new Map(Object.entries(ERROR_CODES));
    let count = 0;
    for (const [, status, text = ''] of problems) {
      const problem = JSON.parse(text);
      expect([problem.title, problem.status]).toEqual([codes.get(problem.code)?.title, Number(status)]);
      expect([problem.type, problem.status]).toEqual([`/docs/errors#${problem.code}`, codes.get(problem.code)?.status]);
      count++;
    }
    expect(count).toBeGreaterThanOrEqual(7);
  });

  test('speaks TLS by the example, and sends plain requests there', async (context) => {
    skipUnless(context, await Nginx.fault());
    skipUnless(context, await commandFault('openssl', ['version']));
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-tls-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out', certificate];
    await run('openssl', ['req', '-x509', '-nodes', '-days', '1', ...made, ...subject]);
    const port = await freePort();
    const extra = (await read('nginx/tls.conf.example'))
      .replace('/etc/nginx/tls/fullchain.pem', certificate)
      .replace('/etc/nginx/tls/privkey.pem', key)
      .replace('listen 8443', `listen 127.0.0.1:${port}`);
    const nginx = await Nginx.open({ instances: ['http://127.0.0.1:1'], extra });
    const ca = await readFile(certificate);
    const answer = await new Promise<[number, string]>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/', ca }, (response) => {
        response.resume();
        resolve([response.statusCode ?? 0, String(response.headers['strict-transport-security'])]);
      })
        .on('error', reject)
        .end();
    });
    expect(answer).toEqual([200, 'max-age=31536000']);
    const plain = await nginx.client().get('models?x=1');
    expect([plain.status, plain.headers.location]).toEqual([308, 'https://127.0.0.1/api/v1/models?x=1']);
  });
});
