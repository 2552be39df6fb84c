import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const DIST = join(PACKAGE, 'dist');
const LOCK = join(DIST, '.building');

/** builtSdk builds the package as it is published, where sources changed, and answers its dist directory. */
export async function builtSdk(): Promise<string> {
  mkdirSync(DIST, { recursive: true });
  const until = performance.now() + 60_000;
  // One build at a time, for the test files that need one run side by side.
  while (!tryLock() && performance.now() < until) await sleep(50);
  try {
    const compiler = createRequire(import.meta.url).resolve('typescript/lib/tsc.js');
    execFileSync(process.execPath, [compiler, '-b', PACKAGE], { stdio: 'pipe' });
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
  return DIST;
}

/** builtSdkUrl is what a script imports to get the built package. */
export async function builtSdkUrl(): Promise<string> {
  return pathToFileURL(join(await builtSdk(), 'index.js')).href;
}

function tryLock(): boolean {
  try {
    mkdirSync(LOCK);
    return true;
  } catch {
    return false;
  }
}
