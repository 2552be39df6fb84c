import { join } from 'node:path';
import { Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../command.mjs';
import { environment } from './environment.mjs';
import { faultOf, importBoundaries } from './import-boundaries.mjs';

const everything = { has: () => true };
const manifests = () => ({ dependencies: everything, all: everything });

const ALLOWED = [
  ['libs/state/src/models.ts', '@tidemark/sqlite', []],
  ['libs/delivery/src/deliver.ts', '@tidemark/state', []],
  ['apps/api/src/query/read.ts', '@tidemark/stats', []],
  ['apps/api/src/ingest/ingest.test.ts', '@tidemark/sdk', []],
  ['apps/api/src/query/query.controller.ts', '@nestjs/common', []],
  ['apps/api/src/rules/registration.ts', 'class-validator', []],
  ['apps/api/src/compose.ts', './store/sqlite-store.js', ['SqliteStore']],
  ['apps/api/src/compose.ts', '@tidemark/delivery', ['OutboxQueue']],
  ['apps/api/src/store/sqlite-store.test.ts', './sqlite-store.js', ['SqliteStore']],
  ['apps/api/src/query/read.test.ts', '../store/sqlite-store.js', ['SqliteStore']],
  ['libs/delivery/src/index.ts', './queue/outbox-queue.js', ['OutboxQueue']],
  ['libs/sqlite/src/statements.ts', '../dist/statements-thread.js', []],
  ['bench/ingest.ts', '@tidemark/stats', []],
  ['test/boot.test.ts', '@nestjs/common', []],
  ['demo/main.ts', './traffic.js', []],
];

const REFUSED = [
  ['libs/types/src/metric.ts', '@tidemark/stats', []],
  ['libs/stats/src/ddsketch.ts', '@tidemark/types', []],
  ['libs/sqlite/src/database.ts', '@tidemark/types', []],
  ['libs/sdk/src/client.ts', '@tidemark/types', []],
  ['libs/state/src/models.ts', '@tidemark/delivery', []],
  ['libs/delivery/src/deliver.ts', '@tidemark/stats', []],
  ['apps/api/src/main.ts', '@tidemark/sdk', []],
  ['apps/api/src/main.ts', '../../worker/src/main.js', []],
  ['apps/api/src/main.ts', '../../../libs/types/src/metric.js', []],
  ['apps/api/src/main.ts', '../../../tools/command.mjs', []],
  ['bench/ingest.ts', '../libs/stats/src/ddsketch.js', []],
  ['apps/api/src/ingest/ingest.ts', '@nestjs/common', []],
  ['libs/delivery/src/deliver.ts', '@nestjs/common', []],
  ['apps/api/src/rules/evaluate.ts', 'class-validator', []],
  ['apps/api/src/ingest/validate.ts', 'class-validator', []],
  ['apps/api/src/query/read.ts', '../store/sqlite-store.js', ['SqliteStore']],
  ['apps/api/src/http.module.ts', '@tidemark/delivery', ['MemoryLimiter']],
  ['libs/delivery/src/deliver.ts', './limit/memory-limiter.js', ['MemoryLimiter']],
];

describe('import boundaries', () => {
  it.each(ALLOWED)('let %s import %s', (file, source, names) => {
    expect(faultOf(file, source, names, manifests)).toBeNull();
  });

  it.each(REFUSED)('refuse that %s imports %s', (file, source, names) => {
    expect(faultOf(file, source, names, manifests)).toEqual(expect.any(String));
  });

  it('refuse what a package uses and does not declare', () => {
    expect(faultOf('libs/types/src/metric.ts', 'fastify')).toMatch('libs/types/package.json does not list');
    expect(faultOf('libs/types/src/metric.ts', 'vitest')).toMatch('does not list');
    expect(faultOf('libs/types/src/metric.test.ts', 'vitest')).toBeNull();
    expect(faultOf('libs/types/src/metric.ts', 'node:fs')).toBeNull();
  });

  it('see static, re-exported and dynamic imports', () => {
    const code = `import { a } from '@tidemark/delivery'; export { b } from '@tidemark/delivery'; await import('@tidemark/delivery');`;
    expect(lint('libs/types/src/metric.js', code).map((message) => message.ruleId)).toEqual(
      Array(3).fill('tidemark/import-boundaries'),
    );
  });
});

describe('the environment', () => {
  it.each([
    'process.env.HOME;',
    "process['env'];",
    'const { env } = process; env.HOME;',
    "import { env } from 'node:process'; env.HOME;",
  ])('is not read in a stage by: %s', (code) => {
    expect(lint('apps/api/src/ingest/ingest.js', code)).toHaveLength(1);
  });

  it('is handed over by the first file of a program', () => {
    expect(lint('apps/api/src/main.ts', 'process.env;')).toEqual([]);
  });
});

function lint(file, code) {
  const rules = { 'import-boundaries': importBoundaries, environment };
  return new Linter({ cwd: ROOT }).verify(
    code,
    {
      files: ['**/*.{js,ts}'],
      plugins: { tidemark: { rules } },
      rules: { 'tidemark/import-boundaries': 'error', 'tidemark/environment': 'error' },
    },
    join(ROOT, file),
  );
}
