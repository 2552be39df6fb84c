import { describe, expect, it, onTestFinished } from 'vitest';
import { type Health, HealthServer } from './health-server.js';

const HEALTHY: Health = { isAlive: () => true, isReady: async () => true, metrics: async () => 'figure 1\n' };

async function serve(changes: Partial<Health> = {}) {
  const server = await HealthServer.start({ ...HEALTHY, ...changes }, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(server.url + path, { method, signal: AbortSignal.timeout(10_000) });
    return [response.status, (await response.text()).trim()];
  };
  return { server, ask };
}

describe('HealthServer', () => {
  it('tells of life, readiness and figures, and of nothing else', async () => {
    const { ask } = await serve();
    expect(await ask('/livez')).toEqual([200, '{"status":"alive"}']);
    expect(await ask('/readyz?now')).toEqual([200, '{"status":"ready"}']);
    expect(await ask('/metrics')).toEqual([200, 'figure 1']);
    expect(await ask('/')).toEqual([404, '{"status":"not_found"}']);
    expect(await ask('/livez', 'POST')).toEqual([405, '{"status":"method_not_allowed"}']);
  });

  it('tells of a worker that is stuck or not ready', async () => {
    const { ask } = await serve({ isAlive: () => false, isReady: async () => false });
    expect(await ask('/livez')).toEqual([503, '{"status":"stuck"}']);
    expect(await ask('/readyz')).toEqual([503, '{"status":"not_ready"}']);
  });

  it('is not ready while it drains, and alive', async () => {
    const { server, ask } = await serve();
    server.drain();
    expect(await ask('/readyz')).toEqual([503, '{"status":"not_ready"}']);
    expect(await ask('/livez')).toEqual([200, '{"status":"alive"}']);
  });

  it('is not ready while its database hangs or fails', async () => {
    const hanging = await serve({ isReady: () => new Promise(() => undefined) });
    expect(await hanging.ask('/readyz')).toEqual([503, '{"status":"not_ready"}']);
    const failing = await serve({ isReady: () => Promise.reject(new Error('away')) });
    expect(await failing.ask('/readyz')).toEqual([503, '{"status":"not_ready"}']);
  });
});
