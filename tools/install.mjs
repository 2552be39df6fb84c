import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, quietly, ROOT } from './command.mjs';
import { digestOf, isFresh, writeStamp } from './stamp.mjs';
import { step } from './step.mjs';

const LOCK = join(ROOT, 'package-lock.json');
const INSTALLED = join(ROOT, 'node_modules/.package-lock.json');
const STAMP = join(ROOT, 'node_modules/.cache/tidemark/install.stamp');

/** installIfNeeded brings node_modules in line with package-lock.json; it tells whether there was something to do. */
export async function installIfNeeded(out) {
  const missing = missingPackages(readLock(LOCK), readLock(INSTALLED));
  if (missing.length === 0 || (existsSync(INSTALLED) && isFresh(STAMP, [LOCK, INSTALLED], []))) return false;
  const isFirst = !existsSync(join(ROOT, 'node_modules'));
  const note = isFirst ? 'once; about half a minute' : `${missing.length} of them changed`;
  const [command, args] = npmCommand(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  await step({ doing: 'Installing packages', done: 'Installed packages', note }, () => quietly(command, args), out);
  // Should npm have reasons of its own to leave something out, asking again would not change its mind.
  writeStamp(STAMP, digestOf([LOCK, INSTALLED]), []);
  return true;
}

/**
 * missingPackages lists where the installed tree differs from the lock, by the paths that both name. npm writes what it
 * installed in the form of a lock, and does so last: after an interrupted install it is absent or old. A package that is
 * optional may be absent, because it may not suit this machine, and one that nothing needs (extraneous) is no loss.
 */
export function missingPackages(lock, installed) {
  if (!lock) return [];
  if (!installed) return Object.keys(lock.packages).filter((path) => path.startsWith('node_modules/'));
  return Object.entries(lock.packages)
    .filter(([path, wanted]) => path.includes('node_modules/') && differs(wanted, installed.packages[path]))
    .map(([path]) => path);
}

function differs(wanted, found) {
  if (!found) return !wanted.optional && !wanted.extraneous;
  return ['version', 'integrity', 'resolved'].some((name) => wanted[name] !== found[name]);
}

function readLock(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}
