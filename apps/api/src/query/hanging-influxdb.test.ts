import 'reflect-metadata';
import { influxDbUnderTest } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { OwnServer } from '../rig/own-server.js';

const underTest = influxDbUnderTest();
// A model's newest points are in memory.
const READS = [
  'metrics/inference',
  'metrics/drift',
  'metrics/aggregated?since_hours=24',
  'summary',
  'export/inference',
  'export/drift?format=ndjson',
];

describe.skipIf(!underTest.canRun())('while InfluxDB hangs', () => {
  it('each read of points is told when to ask again, and is answered when InfluxDB goes on', async () => {
    const influxdb = await underTest.start();
    onTestFinished(() => influxdb.close());
    const server = await OwnServer.start({
      INFLUXDB_URL: influxdb.url,
      INFLUXDB_TOKEN: underTest.token,
      INFLUXDB_ORG: underTest.org,
      INFLUXDB_BUCKET: 'd',
    });
    onTestFinished(() => server.stop());
    const metric = { model_id: 'm', model_type: 'llm', request_id: 'r', latency: 5 };
    expect((await server.ask('POST', '/api/v1/metrics/inference', metric)).status).toBe(201);
    const readAll = () => Promise.all(READS.map((path) => server.ask('GET', `/api/v1/${path}`)));
    influxdb.pause();
    for (const answer of await readAll()) {
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await answer.json()).toMatchObject({ status: 503, code: 'storage_unavailable' });
    }
    influxdb.resume();
    for (const answer of await readAll()) expect(answer.status).toBe(200);
  });
});
