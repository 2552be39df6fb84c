import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './command.mjs';
import { filesToRepeat, tallyReport, withRepeated } from './tally.mjs';

/**
 * runVitest runs the tests that `args` select, in this terminal, and resolves to their tally and to the files that are
 * `unsteady`: of all tests together, a few files that fail are run once more, by themselves, and those that pass then are
 * told of instead of counted as failed. On a busy machine servers may come up late; what is broken fails twice.
 */
export async function runVitest(args) {
  const first = await runOnce(args);
  const repeated = args.length === 0 ? filesToRepeat(first.report) : [];
  if (repeated.length === 0) return { tally: tallyOf(first), unsteady: [] };
  process.stdout.write(`\nRunning again, one after the other: ${repeated.map(inProject).join(', ')}\n`);
  const second = await runOnce(['--no-file-parallelism', ...repeated.map(inProject)]);
  if (!second.report) return { tally: tallyOf(first), unsteady: [] };
  const report = withRepeated(first.report, second.report);
  const unsteady = repeated.filter((file) => !filesToRepeat(second.report).includes(file)).map(inProject);
  return { tally: tallyOf({ report, code: second.code }), unsteady };
}

/** A run that ends with an error is a failure, whatever its report says. */
function tallyOf({ report, code }) {
  const tally = tallyReport(report);
  return code === 0 || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

async function runOnce(args) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tests-'));
  const reportFile = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  try {
    const code = await exitOf(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
    return { code, report: existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')) : null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProject(file) {
  return relative(ROOT, file);
}

function exitOf(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(code ?? 1);
    });
  });
}
