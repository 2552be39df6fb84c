import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileIfNeeded } from './build.mjs';
import { CommandError, outcomeOf, ROOT } from './command.mjs';

const LINT = { name: 'lint', hint: 'npm run lint', args: ['node_modules/eslint/bin/eslint.js', '.'] };
const FORMAT = {
  name: 'format',
  hint: 'npm run format',
  args: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
};
const TYPES = {
  name: 'types',
  hint: 'npm run types',
  args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'],
};
const DOCS = { name: 'docs', hint: 'npm run docs', args: ['tools/docs.mjs', '--check'] };
const SILENT = { write() {} };

/**
 * runChecks runs every check that is not a test, in two lanes that take about as long (linting is the longest), and
 * reports each as it ends; it resolves to `[{ name, ok }]`.
 */
export async function runChecks(out) {
  const lanes = await Promise.all([
    inTurn([() => command(LINT, out)]),
    inTurn([
      () => command(TYPES, out),
      () => command(FORMAT, out),
      () => command(DOCS, out),
      () => compilation('demo', out),
      () => compilation('bench', out),
    ]),
  ]);
  return lanes.flat().filter((check) => check !== null);
}

async function inTurn(works) {
  const results = [];
  for (const work of works) results.push(await work());
  return results;
}

async function command({ name, hint, args }, out) {
  const begin = performance.now();
  const { code, output } = await outcomeOf(process.execPath, args);
  return report({ name, ok: code === 0, begin, output, hint }, out);
}

async function compilation(folder, out) {
  if (!existsSync(join(ROOT, folder, 'main.ts'))) return null;
  const begin = performance.now();
  try {
    await compileIfNeeded(folder, SILENT);
    return report({ name: folder, ok: true, begin }, out);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return report({ name: folder, ok: false, begin, output: error.tail, hint: `npx tsc -p ${folder}` }, out);
  }
}

function report({ name, ok, begin, output, hint }, out) {
  const seconds = `${((performance.now() - begin) / 1000).toFixed(1)} s`;
  if (ok) out.write(`Check ${name} passed in ${seconds}\n`);
  else out.write(`Check ${name} FAILED in ${seconds}\n${output.trimEnd()}\nMend it with, or see it by: ${hint}\n`);
  return { name, ok };
}
