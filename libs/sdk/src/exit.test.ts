import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtSdkUrl } from './rig/built-sdk.js';
import { MetricsServer } from './rig/metrics-server.js';
import { runScript } from './rig/run-script.js';
import type { ScriptRun } from './rig/run-script.js';

const POINT = `{ modelId: 'm', modelType: 'llm', latencyMs: 1 }`;
const DEAD_URL = 'http://127.0.0.1:9';

let sdk = '';
let server: MetricsServer;

beforeAll(async () => {
  sdk = await builtSdkUrl();
}, 60_000);

beforeEach(async () => {
  server = await MetricsServer.open();
});

afterEach(() => server.close());

/** run runs a process that makes a client with `options` and then does `body`. */
function run(body: string, options = '', url = server.url): Promise<ScriptRun> {
  return runScript(`
    import { Tidemark } from '${sdk}';
    const client = new Tidemark({ url: '${url}', ${options} });
    ${body}
  `);
}

describe('a process that ends', () => {
  it('sends first what it recorded', async () => {
    const body = `
      const observed = client.observe((n) => n, { modelId: 'm', modelType: 'llm' });
      for (let n = 0; n < 2500; n++) observed(n);
      client.drift({ modelId: 'm', driftType: 'data', severity: 'low', confidence: 0.5 });
    `;
    expect(await run(body, 'flushIntervalMs: 3600000')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(server.stored).toHaveLength(2_501);
  });

  it('tries again what a busy server asks it to, within the time it has', async () => {
    server.turns.push({ do: 'answer', status: 503, headers: { 'retry-after': '0' } });
    const options = 'retryBaseMs: 10, exitTimeoutMs: 10000, warn: false';
    expect(await run(`client.record(${POINT});`, options)).toMatchObject({ code: 0, stderr: '' });
    expect(server.exchanges).toHaveLength(2);
    expect(server.stored).toHaveLength(1);
  });

  it('ends though nobody answers, and says what was lost', async () => {
    const body = `
      for (let n = 0; n < 7; n++) client.record(${POINT});
      process.on('exit', () => console.log(client.stats().requests));
    `;
    const onDrop = 'onDrop: ({ reason, count }) => console.log(reason, count)';
    const ended = await run(body, `retryBaseMs: 1, exitTimeoutMs: 60000, ${onDrop}`, DEAD_URL);
    // One try, and no waiting for a second one.
    expect(ended.stdout.trim().split('\n').sort()).toEqual(['1', 'exit 7']);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('7 inference point(s) lost');
  });

  it('ends though the server takes the request and never answers', async () => {
    server.turns.push({ do: 'hang' }, { do: 'hang' }, { do: 'hang' });
    const options = 'exitTimeoutMs: 100, warn: false, onDrop: (report) => console.log(report.count)';
    expect(await run(`client.record(${POINT});`, options)).toMatchObject({ code: 0, stdout: '1\n', stderr: '' });
  });

  it('ends though its own last act is to call an observed function, each time', async () => {
    const body = `
      const observed = client.observe(() => 1, { modelId: 'm', modelType: 'llm' });
      process.on('beforeExit', () => observed());
      observed();
      process.on('exit', () => {
        const { recorded, accepted, dropped, buffered, inFlight } = client.stats();
        console.log(recorded === accepted + dropped + buffered + inFlight && recorded > 1);
      });
    `;
    expect(await run(body, 'exitTimeoutMs: 100, warn: false')).toMatchObject({ code: 0, stdout: 'true\n', stderr: '' });
  });

  it('is not kept by a client that has nothing to send, or is told not to keep it', async () => {
    expect(await run('client.observe(() => 1, {})', 'flushIntervalMs: 3600000')).toMatchObject({ code: 0, stderr: '' });
    const options =
      'exitTimeoutMs: 0, flushIntervalMs: 3600000, warn: false, onDrop: (report) => console.log(report.reason)';
    expect(await run(`client.record(${POINT});`, options)).toMatchObject({ code: 0, stdout: 'exit\n' });
    expect(server.exchanges).toEqual([]);
  });

  it('tells what process.exit() cut off', async () => {
    const ended = await run(
      `client.record(${POINT}); process.exit(3);`,
      'onDrop: (report) => console.log(report.count)',
    );
    expect(ended).toMatchObject({ code: 3, stdout: '1\n', stderr: expect.stringContaining('lost') });
  });

  it('fails by its own error as it would without a client', async () => {
    const ended = await run(`client.record(${POINT}); throw new Error('mine');`, 'warn: false');
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Error: mine') });
  });

  it('gets an answer from an awaited flush and close, though nobody answers', async () => {
    const body = `
      client.record(${POINT});
      console.log((await client.flush(300)).outcome);
      console.log((await client.close(300)).outcome, client.stats().droppedBy.closed);
    `;
    const ended = await run(body, 'warn: false', DEAD_URL);
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'pending\npending 1\n', stderr: '' });
  });

  it('is not warned of listeners by many clients', async () => {
    const body = `
      const clients = Array.from({ length: 30 }, () => new Tidemark({ url: '${server.url}' }));
      for (const each of clients) each.record(${POINT});
    `;
    expect(await run(body)).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(server.stored).toHaveLength(30);
  });

  it('is left with no listener by a client that has nothing to send', async () => {
    const body = `
      const count = () => process.listenerCount('beforeExit') + process.listenerCount('exit');
      // The first request has Node listen too.
      await fetch('${server.url}', { method: 'OPTIONS' });
      const before = count();
      client.record(${POINT});
      const during = count();
      await client.flush();
      console.log(during - before, count() - before);
    `;
    expect(await run(body)).toMatchObject({ stdout: '2 0\n' });
  });
});
