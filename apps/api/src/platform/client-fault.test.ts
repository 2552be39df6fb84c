import 'reflect-metadata';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERROR_CODES } from '@tidemark/types';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Line } from '../rig/line.js';
import { OwnServer } from '../rig/own-server.js';
import { answerClientFault, OpenAnswers, problemOf } from './client-fault.js';

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start()));
afterAll(() => server.stop());

const HOST = 'Host: localhost\r\n';
const json = `${HOST}Content-Type: application/json\r\n`;

/** Sends bytes that are not quite HTTP, and takes the answer apart. */
async function answerTo(text: string) {
  const line = await Line.open(server.url);
  line.socket.write(text);
  const [head = '', body = ''] = (await line.received()).split('\r\n\r\n');
  const headers = Object.fromEntries(head.split('\r\n').map((row) => row.split(': ', 2)));
  return { status: Number(head.split(' ')[1]), headers, body: JSON.parse(body) };
}

describe('a request that is not HTTP', () => {
  it.each([
    ['of a method that nobody knows', `FOO /api/v1/models HTTP/1.1\r\n${HOST}\r\n`, 'malformed_request'],
    ['without a method', 'hello\r\n\r\n', 'malformed_request'],
    ['with a header that is none', `GET /livez HTTP/1.1\r\n${HOST}Bad Header\r\n\r\n`, 'malformed_request'],
    ['of another version', `GET /livez HTTP/3.9\r\n${HOST}\r\n`, 'malformed_request'],
    ['without a Host', 'GET /livez HTTP/1.1\r\n\r\n', 'malformed_request'],
    [
      'of two lengths',
      `POST /api/v1/models HTTP/1.1\r\n${json}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'malformed_request',
    ],
    [
      'with a chunk that is none',
      `POST /x HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      'malformed_request',
    ],
    ['with large headers', `GET /livez HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 'headers_too_large'],
  ] as const)('%s is answered with a problem', async (_what, text, code) => {
    const { status, headers, body } = await answerTo(text);
    expect(body).toMatchObject({ code, status: ERROR_CODES[code].status, title: ERROR_CODES[code].title });
    expect(status).toBe(ERROR_CODES[code].status);
    expect(headers).toMatchObject({ 'content-type': expect.stringMatching(/^application\/problem\+json/) });
    expect(body.instance).toBe(`urn:request:${headers['x-request-id']}`);
  });

  it('does not take the answer of the request before it', async () => {
    const line = await Line.open(server.url);
    line.socket.write(`GET /livez HTTP/1.1\r\n${HOST}\r\n`);
    await new Promise((resolve) => line.socket.once('data', resolve));
    line.socket.write(`FOO /livez HTTP/1.1\r\n${HOST}\r\n`);
    expect(await line.answers()).toEqual([
      expect.stringMatching(/^200 .*alive/),
      expect.stringMatching(/^400 .*malformed_request/),
    ]);
  });
});

describe('a fault on a connection over which an answer is being sent', () => {
  const post = `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`;
  const get = `GET / HTTP/1.1\r\n${HOST}\r\n`;

  /** A server whose answers begin and do not end. */
  async function halfSent(): Promise<Line> {
    const server = createServer((_request, answer) => void answer.write('the first half'));
    const answers = new OpenAnswers();
    answers.watch(server);
    server.on('clientError', (fault: NodeJS.ErrnoException, socket) => answerClientFault(fault, socket, 'r1', answers));
    onTestFinished(() => void server.close().closeAllConnections());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return Line.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  it.each([
    ['a chunk that is none', post, 'zz\r\n'],
    ['a pipelined request that is none', get, 'FOO / HTTP/1.1\r\n\r\n'],
    ['one behind another that waits', get + get, 'FOO / HTTP/1.1\r\n\r\n'],
  ])('breaks that answer off and writes nothing into it: %s', async (_what, begin, fault) => {
    const line = await halfSent();
    line.socket.write(begin);
    await once(line.socket, 'data');
    line.socket.write(fault);
    const text = await line.received();
    expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*the first half\r\n$/);
    expect(text).not.toContain('problem');
  });
});

it('an expectation that nobody knows is ignored, as HTTP allows', async () => {
  const line = await Line.open(server.url);
  line.socket.write(`GET /livez HTTP/1.1\r\n${HOST}Expect: wonders\r\nConnection: close\r\n\r\n`);
  expect(await line.answers()).toEqual([expect.stringMatching(/^200 .*alive/)]);
});

it.each([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['HPE_INVALID_METHOD', 400],
  [undefined, 400],
])('problemOf answers %s with %i', (code, status) => {
  expect(problemOf(code === undefined ? {} : { code }).status).toBe(status);
});
