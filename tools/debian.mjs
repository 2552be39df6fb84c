import { existsSync } from 'node:fs';
import { outcomeOf } from './command.mjs';
import { step } from './step.mjs';

/** DEBIAN_PACKAGES are what tests need besides npm packages: the file that shows a package is there, and what for. */
export const DEBIAN_PACKAGES = [
  { name: 'chromium', file: '/usr/bin/chromium', purpose: 'runs the SDK as a page does' },
  { name: 'strace', file: '/usr/bin/strace', purpose: 'makes a disk fail under the server' },
  { name: 'redis-server', file: '/usr/bin/redis-server', purpose: 'is the queue of production' },
  { name: 'influxdb', file: '/usr/bin/influxd', purpose: 'is the store of production' },
  { name: 'postgresql', file: '/usr/lib/postgresql', purpose: 'is the state of production' },
  { name: 'openssl', file: '/usr/bin/openssl', purpose: 'makes a certificate for nginx' },
  { name: 'nginx', file: '/usr/sbin/nginx', purpose: 'stands in front of instances' },
  { name: 'docker-compose', file: '/usr/bin/docker-compose', purpose: 'reads docker-compose.yml' },
  { name: 'prometheus', file: '/usr/bin/promtool', purpose: 'tries the rules of Prometheus' },
];

/**
 * provideDebianPackages installs what is missing where that is possible (as root, with apt-get), and returns those
 * that are still missing, each with its reason.
 */
export async function provideDebianPackages(out, packages = DEBIAN_PACKAGES) {
  const missing = packages.filter(({ file }) => !existsSync(file));
  if (missing.length === 0) return [];
  const names = missing.map(({ name }) => name);
  const byHand = `install it with: sudo apt-get install ${names.join(' ')}`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return missing.map((one) => ({ ...one, reason: `this user cannot install Debian packages; ${byHand}` }));
  }
  const title = `Debian packages (${names.join(', ')})`;
  await step({ doing: `Installing ${title}`, done: `Tried to install ${title}` }, () => aptInstall(names), out);
  return missing
    .filter(({ file }) => !existsSync(file))
    .map((one) => ({ ...one, reason: `apt-get did not install it; ${byHand}` }));
}

async function aptInstall(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...names];
  // The lists of a fresh machine are empty, and those of an old one name versions that are gone: then fetch them first.
  if ((await outcomeOf('apt-get', install, { env })).code === 0) return;
  await outcomeOf('apt-get', ['update', '-qq'], { env });
  await outcomeOf('apt-get', install, { env });
}
