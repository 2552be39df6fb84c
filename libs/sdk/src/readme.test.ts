import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveOptions } from './options.js';
import { builtSdkUrl } from './rig/built-sdk.js';
import { MetricsServer } from './rig/metrics-server.js';
import { runScript } from './rig/run-script.js';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const EXAMPLES = [...README.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(([, language = '', source = '']) => ({
  language,
  source,
  title: source.split('\n').find((line) => line.includes('modelId')) ?? source,
}));

const WORDS = ['You', 'said', 'hello'];

/** outputOf answers what an example says it prints: the comments behind its console.log lines. */
function outputOf(source: string): string[] {
  return [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, output = '']) => output);
}

describe('the README', () => {
  let sdk = '';

  beforeAll(async () => {
    sdk = await builtSdkUrl();
  }, 60_000);

  it('has examples', () => {
    expect(EXAMPLES.length).toBeGreaterThanOrEqual(5);
  });

  it.each(EXAMPLES)('has an example that runs and prints what it says: $title', async ({ language, source }) => {
    const server = await MetricsServer.open();
    try {
      const here = source.replaceAll('http://127.0.0.1:8000', server.url);
      const imported = here.replaceAll(`'@tidemark/sdk'`, `'${sdk}'`);
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
      const script = language === 'ts' ? ts.transpileModule(imported, { compilerOptions }).outputText : imported;
      const ended = await runScript(script);
      expect(ended.code, ended.stderr).toBe(0);
      const printed = ended.stdout.trimEnd().split('\n');
      const wanted = outputOf(source);
      if (wanted.length > 0) expect(printed).toEqual(expect.arrayContaining(wanted));
      else expect(printed).toEqual(WORDS);
      expect(server.stored.length).toBeGreaterThan(0);
    } finally {
      await server.close();
    }
  });

  it('names every option with its default', () => {
    const defaults = resolveOptions({ url: 'http://127.0.0.1:8000' });
    const rows = new Map(
      [...README.matchAll(/^\| `(\w+)`.*?\| +(.*?) +\|/gm)].map(([, name = '', value = '']) => [name, value]),
    );
    for (const [name, value] of Object.entries(defaults)) {
      if (typeof value === 'number') expect([name, rows.get(name)]).toEqual([name, value.toLocaleString('en-US')]);
    }
    expect(rows.get('holdStatuses')).toBe('`[401, 403]`');
  });
});
