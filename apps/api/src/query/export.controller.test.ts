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

it('an export of alerts takes the filters of the list of alerts, and the others refuse them', async () => {
  const drift = { model_id: 'drifter', drift_type: 'data', severity: 'critical', confidence: 1 };
  expect((await server.ask('POST', '/api/v1/metrics/drift', drift)).status).toBe(201);
  expect((await server.ask('POST', '/api/v1/metrics/drift', { ...drift, severity: 'high' })).status).toBe(201);
  const filters = ['resolved=false', 'resolved=true', 'severity=critical', 'severity=low', 'alert_type=drift'];
  for (const filter of [...filters, 'alert_type=drift&resolved=false', 'alert_type=error_rate']) {
    const lines = await (await server.ask('GET', `/api/v1/export/alerts?format=ndjson&${filter}`)).text();
    const exported = lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const listed = await (await server.ask('GET', `/api/v1/alerts?${filter}`)).json();
    expect([filter, exported]).toEqual([filter, listed]);
  }
  for (const what of ['inference', 'drift']) {
    const answer = await server.ask('GET', `/api/v1/export/${what}?severity=critical`);
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { code: 'invalid_query', errors: [{ pointer: '/severity', code: 'unknown_member' }] },
    ]);
  }
});
