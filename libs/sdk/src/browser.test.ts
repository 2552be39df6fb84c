import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join, normalize } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builtSdk } from './rig/built-sdk.js';
import { MetricsServer } from './rig/metrics-server.js';
import { waitFor } from './rig/wait-for.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const isMissing = !existsSync(CHROMIUM);
if (isMissing) console.warn(`skipped: the browser tests need ${CHROMIUM}`);

// eslint-disable-next-line tidemark/environment -- a test may be skipped on a desk, never in CI, and only the variable tells
it.runIf(isMissing && process.env['CI'] !== undefined)('finds the browser that CI owes it', () => {
  expect(existsSync(CHROMIUM)).toBe(true);
});

/** servePages serves the built package and an empty page, from an origin of its own. */
async function servePages(dist: string): Promise<Server> {
  const pages = createServer((request, response) => {
    const path = normalize(request.url ?? '/');
    if (!path.endsWith('.js')) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>page</title>');
      return;
    }
    readFile(join(dist, path)).then(
      (script) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(script),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  return pages;
}

describe.skipIf(isMissing)('the built package in Chromium', () => {
  let browser: Browser;
  let pages: Server;
  let server: MetricsServer;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    pages = await servePages(await builtSdk());
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    pages.close();
  });

  beforeEach(async () => {
    server = await MetricsServer.open();
    page = await browser.newPage();
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(origin());
  });

  afterEach(async () => {
    await page.close();
    await server.close();
  });

  function origin(): string {
    const address = pages.address();
    if (address === null || typeof address === 'string') throw new Error('the pages are not served');
    return `http://127.0.0.1:${String(address.port)}`;
  }

  /** inPage runs `body` in the page with a client, and answers what it returns as JSON. */
  async function inPage(body: string, options = ''): Promise<unknown> {
    return page.evaluate(`(async () => {
      const { Tidemark } = await import('${origin()}/index.js');
      const client = new Tidemark({ url: '${server.url}', apiKey: 'tm_browser', ${options} });
      ${body}
    })()`);
  }

  it('records, observes and sends across origins, compressed, with key and idempotency key', async () => {
    const stats = await inPage(`
      const observed = client.observe(async (n) => n * 2, { modelId: 'in-page', modelType: 'tabular' });
      for (let n = 0; n < 100; n++) if ((await observed(n)) !== n * 2) throw new Error('wrong');
      client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });
      client.record({ modelId: '', modelType: 'llm', latencyMs: 3 });
      await client.flush();
      return client.stats();
    `);
    expect(stats).toMatchObject({ recorded: 102, accepted: 101, rejected: 1, buffered: 0, inFlight: 0 });
    expect(server.stored).toHaveLength(101);
    const latencies = server.stored.map((point) => Number(point['latency']));
    expect(Math.min(...latencies)).toBeGreaterThan(0);
    expect(server.exchanges[0]?.headers).toMatchObject({
      authorization: 'Bearer tm_browser',
      'content-encoding': 'gzip',
      'idempotency-key': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(complaints).toEqual([expect.stringContaining('[tidemark] 1 inference point(s) lost')]);
  });

  it('observes a stream read to its end', async () => {
    const text = await inPage(`
      const observed = client.observe(
        async () => (await fetch('${origin()}/')).body.pipeThrough(new TextDecoderStream()),
        { modelId: 'stream', modelType: 'llm' },
      );
      const reader = (await observed()).getReader();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
      await client.flush();
      return text;
    `);
    expect(text).toContain('<!doctype html>');
    expect(server.stored).toEqual([expect.objectContaining({ values: expect.objectContaining({ items: 1 }) })]);
  });

  it('tries again after the time that the server asks for', async () => {
    server.turns.push({ do: 'answer', status: 503, headers: { 'retry-after': '0' } });
    server.turns.push({ do: 'answer', status: 502 });
    const stats = await inPage(
      `client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });
      while (client.stats().accepted === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return client.stats();`,
      'retryBaseMs: 5, flushIntervalMs: 5, warn: false',
    );
    expect(stats).toMatchObject({ recorded: 1, accepted: 1, requests: 3, retries: 2 });
    expect(server.stored).toHaveLength(1);
  });

  it('sends what is left when the page goes away', async () => {
    await inPage(
      `for (let n = 0; n < 50; n++) client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });`,
      'flushIntervalMs: 3600000',
    );
    expect(server.exchanges).toEqual([]);
    await page.goto('about:blank');
    await waitFor('the points', () => server.stored.length === 50);
    expect(server.exchanges[0]?.headers).toMatchObject({ authorization: 'Bearer tm_browser' });
  });

  it('sends again what was under way when the page goes away, under the same key', async () => {
    server.turns.push({ do: 'hang' });
    await inPage(`client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });`, 'flushIntervalMs: 1');
    await waitFor('the first request', () => server.exchanges.length === 1);
    await page.goto('about:blank');
    await waitFor('the point', () => server.stored.length === 1);
    expect(new Set(server.exchanges.map((exchange) => exchange.key)).size).toBe(1);
  });

  it('accounts for what it sent while hidden, once the page goes on', async () => {
    const stats = await inPage(
      `for (let n = 0; n < 10; n++) client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });
      dispatchEvent(new Event('pagehide'));
      const during = client.stats();
      while (client.stats().inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      return [during, client.stats()];`,
      'flushIntervalMs: 3600000',
    );
    expect(stats).toMatchObject([
      { recorded: 10, buffered: 0, inFlight: 10 },
      { recorded: 10, accepted: 10, inFlight: 0 },
    ]);
  });

  it('leaves behind what is more than may outlive a page, accounted for, and sends it when the page goes on', async () => {
    const stats = await inPage(
      `for (let n = 0; n < 1000; n++) client.record({ modelId: 'm', modelType: 'llm', latencyMs: 3 });
      dispatchEvent(new Event('pagehide'));
      const { recorded, buffered, inFlight } = client.stats();
      await client.flush();
      return [recorded - buffered - inFlight, buffered > 0 && inFlight > 0, client.stats()];`,
      'flushIntervalMs: 3600000',
    );
    expect(stats).toMatchObject([0, true, { recorded: 1_000, accepted: 1_000 }]);
    expect(server.stored).toHaveLength(1_000);
  });
});
