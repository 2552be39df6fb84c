import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './command.mjs';
import { tallyReport } from './tally.mjs';

/** runVitest runs the tests that `args` select, in this terminal, and resolves to their tally. */
export async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-tests-'));
  const reportFile = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  try {
    const code = await exitOf(['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...args]);
    const tally = tallyReport(existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')) : null);
    return code === 0 || tally.failed > 0 ? tally : { ...tally, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
