import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Line } from '../rig/line.js';
import { OwnServer } from '../rig/own-server.js';

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start()));
afterAll(() => server.stop());

const UPGRADE = 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n';
const HOST = 'Host: localhost\r\n';
const BODY = JSON.stringify({ id: 'm', name: 'n', model_type: 'llm', version: '1', environment: 'dev' });
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
const post = (path: string, body: string, headers = '') =>
  `POST ${path} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const goodbye = get('/livez', 'Connection: close\r\n');

async function exchange(...parts: (string | Buffer)[]): Promise<string[]> {
  const line = await Line.open(server.url);
  for (const part of parts) {
    await new Promise((resolve) => line.socket.write(part, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return line.answers();
}

describe('a request that wishes for another protocol', () => {
  it('is answered as it would be without', async () => {
    expect(await exchange(get('/livez', UPGRADE), goodbye)).toEqual([
      expect.stringMatching(/^200 /),
      expect.stringMatching(/^200 /),
    ]);
    const [answer] = await exchange(get('/api/v1/nothing', 'Upgrade: websocket\r\nConnection: Upgrade\r\n'), goodbye);
    expect(answer).toMatch(/^404 .*"code":"not_found"/);
  });

  it('has its body read, whether it comes with the head, behind it, or in chunks', async () => {
    const whole = post('/api/v1/models', BODY, UPGRADE);
    const chunked =
      `POST /api/v1/models HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n${UPGRADE}\r\n` +
      `5\r\n${BODY.slice(0, 5)}\r\n${(BODY.length - 5).toString(16)}\r\n${BODY.slice(5)}\r\n0\r\n\r\n`;
    for (const parts of [[whole], [...whole], [whole.slice(0, -BODY.length), BODY], [chunked], [...chunked]]) {
      expect(await exchange(...parts, goodbye)).toEqual([
        expect.stringMatching(/^201 .*registered/),
        expect.stringMatching(/^200 /),
      ]);
    }
  });

  it('may have a large body, and one that is too large', async () => {
    const metric = { model_id: 'm', model_type: 'llm', request_id: 'r', latency: 5, tags: { pad: 'x'.repeat(200) } };
    const large = JSON.stringify({ metrics: Array<object>(9000).fill(metric) });
    expect(await exchange(post('/api/v1/metrics/inference/batch', large, UPGRADE), goodbye)).toEqual([
      expect.stringMatching(/^201 .*"accepted":9000/),
      expect.stringMatching(/^200 /),
    ]);
    const [refused] = await exchange(post('/api/v1/models', 'x'.repeat(2_000_000), UPGRADE), goodbye);
    expect(refused).toMatch(/^413 /);
  });

  it('keeps its place among the others of its connection', async () => {
    const order = ['/api/v1/models/a', '/api/v1/models/b', '/api/v1/models/c', '/api/v1/models/d'];
    const [a = '', b = '', c = '', d = ''] = order;
    for (let round = 0; round < 20; round++) {
      const pipelined = get(a) + get(b, UPGRADE) + post('/api/v1/models', BODY, UPGRADE) + get(c, UPGRADE) + get(d);
      const answers = await exchange(pipelined + goodbye);
      expect(answers.map((answer) => /no model \\?"(.)/.exec(answer)?.[1] ?? answer.slice(0, 3))).toEqual([
        ...['a', 'b', '201', 'c', 'd', '200'],
      ]);
    }
  });

  it('leaves nothing behind on its connection, however many come over it', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const answers = await exchange(...Array.from({ length: 30 }, () => get('/livez', UPGRADE)), goodbye);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(answers).toHaveLength(31);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });

  it('is forgotten with a client that goes away', async () => {
    for (let round = 0; round < 20; round++) {
      const line = await Line.open(server.url);
      line.socket.write(get('/api/v1/models') + get('/livez', UPGRADE));
      line.socket.resetAndDestroy();
    }
    expect((await server.ask('GET', '/livez')).status).toBe(200);
  });
});
