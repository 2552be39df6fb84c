import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ALERT_CASES, type AlertCase } from './rig/alert-cases.js';
import type { Json } from './rig/client.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { openPlatform } from './rig/platform.js';
import { PRODUCTION_METRICS } from './rig/production-metrics.js';
import { commandFault, skipUnless } from './rig/skip.js';

const run = promisify(execFile);
const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const read = (name: string): Promise<string> => readFile(path(name), 'utf8');
const RULES = 'deploy/prometheus/tidemark.rules.yml';
const PROMTOOL = '/usr/bin/promtool';

async function rules(): Promise<Json[]> {
  return parse(await read(RULES)).groups.flatMap((group: Json) => group.rules);
}

async function alertNames(): Promise<string[]> {
  return (await rules()).flatMap(({ alert }) => (alert === undefined ? [] : [alert]));
}

/** Names of metrics in an expression: what Tidemark, Node and the process call theirs, without recorded ones. */
function metricsIn(expression: string): string[] {
  return expression.match(/\b(?:tidemark|nodejs|process)_[a-z0-9_]+\b/g) ?? [];
}

/** Every name in /metrics of a platform that runs, also those that a histogram adds. */
async function realMetrics(): Promise<Set<string>> {
  const platform = await openPlatform(EMBEDDED);
  const { text } = await platform.client().get('/metrics');
  const typed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  return new Set(
    typed.flatMap(([, name = '', type]) => {
      return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name];
    }),
  );
}

/** A case as promtool wants it: what fires is asked of the series that Prometheus keeps of its alerts. */
function unitTest({ series, atM, firing, what }: AlertCase): Json {
  const expr = 'count by (alertname) (ALERTS{alertstate="firing"})';
  const samples = [...firing].sort().map((name) => ({ labels: `{alertname="${name}"}`, value: 1 }));
  return {
    name: what,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ expr, eval_time: `${atM}m`, exp_samples: samples }],
  };
}

describe('the rules of Prometheus', () => {
  test('are understood by Prometheus, and so is the example that scrapes', async (context) => {
    skipUnless(context, await commandFault(PROMTOOL, ['--version']));
    await run(PROMTOOL, ['check', 'rules', path(RULES)]);
    await run(PROMTOOL, ['check', 'config', '--syntax-only', path('deploy/prometheus/prometheus.yml')]);
  });

  test('fire when they should, and only then', async (context) => {
    skipUnless(context, await commandFault(PROMTOOL, ['--version']));
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-rules-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, 'tests.yml');
    const tests = ALERT_CASES.map(unitTest);
    await writeFile(file, stringify({ rule_files: [path(RULES)], evaluation_interval: '1m', tests }));
    const { stdout } = await run(PROMTOOL, ['test', 'rules', file]);
    expect(stdout).toContain('SUCCESS');
    expect([...new Set(ALERT_CASES.flatMap(({ firing }) => firing))].sort()).toEqual((await alertNames()).sort());
  });

  test('say for each alert how bad it is and where the advice is', async () => {
    const operations = await read('docs/operations.md');
    const headings = new Set([...operations.matchAll(/^### (.+)$/gm)].map(([, name]) => name));
    for (const { alert, labels, annotations } of (await rules()).filter((rule) => rule.alert !== undefined)) {
      expect(labels.severity).toMatch(/^(critical|warning)$/);
      expect(annotations.summary).toMatch(/\.$/);
      expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(headings).toContain(alert);
    }
    const alerts = new Set(await alertNames());
    for (const name of headings) if (name?.startsWith('Tidemark')) expect(alerts).toContain(name);
  });
});

describe('the figures of Tidemark', () => {
  test('are all real that a rule or the dashboard asks for', async () => {
    const real = await realMetrics();
    const recorded = new Set((await rules()).map(({ record }) => record));
    const dashboard = JSON.parse(await read('deploy/grafana/tidemark.json'));
    const asked = dashboard.panels.flatMap(({ targets = [] }: Json) => targets.map(({ expr }: Json) => expr));
    expect(asked.length).toBeGreaterThan(20);
    for (const expr of [...asked, ...(await rules()).map((rule) => rule.expr)]) {
      const names = metricsIn(expr);
      const ready = expr.match(/\btidemark:[a-z0-9_:]+/g) ?? [];
      expect(names.length + ready.length, expr).toBeGreaterThan(expr.includes('up{') ? -1 : 0);
      for (const name of names) expect(real.has(name) || PRODUCTION_METRICS.includes(name), name).toBe(true);
      for (const name of ready) expect(recorded).toContain(name);
    }
  });

  test('are each explained, and nothing else is', async () => {
    const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, '');
    const real = [...(await realMetrics())].filter((name) => name.startsWith('tidemark_')).map(base);
    const operations = await read('docs/operations.md');
    const explained = [...operations.matchAll(/^\| `(tidemark_[a-z0-9_]+)`/gm)].map(([, name]) => name);
    expect(explained.sort()).toEqual([...new Set([...real, ...PRODUCTION_METRICS])].sort());
  });

  test('have a dashboard that Grafana can read', async () => {
    const dashboard = JSON.parse(await read('deploy/grafana/tidemark.json'));
    expect(dashboard).toMatchObject({ uid: 'tidemark', title: 'Tidemark', schemaVersion: expect.any(Number) });
    const ids = dashboard.panels.map(({ id }: Json) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { type, gridPos, targets, title, datasource } of dashboard.panels) {
      expect(title).toMatch(/\w/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      if (type === 'row') continue;
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(new Set(targets.map(({ refId }: Json) => refId)).size).toBe(targets.length);
    }
  });
});
