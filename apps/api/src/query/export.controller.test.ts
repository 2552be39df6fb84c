import 'reflect-metadata';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OwnServer } from '../rig/own-server.js';

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start()));
afterAll(() => server.stop());

it('an export of alerts counts what was counted since the last saving, as the list of alerts does', async () => {
  const model = { id: 'm', name: 'n', model_type: 'llm', version: '1', environment: 'dev', thresholds: { latency: 5 } };
  await server.ask('POST', '/api/v1/models', model);
  for (let at = 1; at <= 3; at++) {
    const metric = { model_id: 'm', model_type: 'llm', request_id: `r${at}`, latency: 5 + at };
    expect((await server.ask('POST', '/api/v1/metrics/inference', metric)).status).toBe(201);
    const exported = JSON.parse(await (await server.ask('GET', '/api/v1/export/alerts?format=ndjson')).text());
    expect(exported).toMatchObject({ occurrences: at, value: 5 + at });
    expect([exported]).toEqual(await (await server.ask('GET', '/api/v1/alerts')).json());
  }
});
