import { expect, it } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { Lane } from './lane.js';
import { HttpSink } from './rig/http-sink.js';
import { type LineServer, startLineServer } from './rig/line-server.js';

const LINES = Buffer.from('a x=1 1\n');

async function startHanging(): Promise<LineServer> {
  const server = await startLineServer();
  server.reply = () => ({ kind: 'hang' });
  return server;
}

it('a lane gives a request up at its deadline and is free again at once', async () => {
  const server = await startHanging();
  const lane = new Lane(new HttpSink(server.url), 100);
  expect(await lane.send(LINES)).toMatchObject({ kind: 'timeout' });
  await waitFor('the lane to be free', () => lane.isFree);
  server.reply = () => ({ kind: 'store' });
  expect(await lane.send(LINES)).toBeNull();
});

it('a lane sends nothing besides a request that does not listen to being given up', async () => {
  const server = await startHanging();
  const sink = new HttpSink(server.url);
  const lane = new Lane({ writeLines: (lines) => sink.writeLines(lines) }, 100);
  for (let i = 0; i < 3; i++) expect(await lane.send(LINES)).toMatchObject({ kind: 'timeout' });
  expect([server.arrivals.length, lane.isFree]).toEqual([1, false]);
  await server.vanish(); // the request ends by itself
  await server.listen();
  server.reply = () => ({ kind: 'store' });
  await waitFor('the lane to be free', () => lane.isFree);
  expect(await lane.send(LINES)).toBeNull();
});

it('a lane ends its request when it is told to stop', async () => {
  const server = await startHanging();
  const lane = new Lane(new HttpSink(server.url), 60_000);
  const stop = new AbortController();
  const sent = lane.send(LINES, stop.signal);
  await waitFor('the request to arrive', () => server.arrivals.length === 1);
  stop.abort();
  expect(await sent).toMatchObject({ kind: 'timeout' });
  await waitFor('the lane to be free', () => lane.isFree);
});

it('a lane answers a fault that nobody expected as a refusal, with its cause', async () => {
  const cause = new TypeError('a defect');
  const lane = new Lane({ writeLines: () => Promise.reject(cause) }, 1000);
  expect(await lane.send(LINES)).toMatchObject({ kind: 'refused', message: 'a defect', cause });
});
