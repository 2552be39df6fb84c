import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const POSTGRES_VERSIONS = '/usr/lib/postgresql';

/** postgresProgram finds a program of the newest PostgreSQL that Debian installed here, such as `initdb`; null if there is none. */
export function postgresProgram(name: string): string | null {
  const versions = existsSync(POSTGRES_VERSIONS) ? readdirSync(POSTGRES_VERSIONS) : [];
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const files = newestFirst.map((version) => join(POSTGRES_VERSIONS, version, 'bin', name));
  return files.find((file) => existsSync(file)) ?? null;
}

/** Program is a program of this machine by its Debian package. */
export type Program = 'redis-server' | 'influxd' | 'nginx' | 'postgres';

const PACKAGES: Readonly<Record<Program, string>> = {
  'redis-server': 'redis-server',
  influxd: 'influxdb',
  nginx: 'nginx',
  postgres: 'postgresql',
};

/** programFile finds a server's program; null if it is not installed. */
export function programFile(program: Program): string | null {
  if (program === 'postgres') return postgresProgram('postgres');
  const files = ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((folder) => join(folder, program));
  return files.find((file) => existsSync(file)) ?? null;
}

/** requireProgram is programFile, or an Error that says what to install. */
export function requireProgram(program: Program): string {
  const file = programFile(program);
  if (file === null) throw new Error(missing(program) ?? '');
  return file;
}

/** missing says which Debian package would bring a program that is not here; null when it is here. */
export function missing(...programs: readonly Program[]): string | null {
  const absent = programs.filter((program) => programFile(program) === null).map((program) => PACKAGES[program]);
  return absent.length === 0 ? null : `install it with: sudo apt-get install ${absent.join(' ')}`;
}

/**
 * canRun tells whether tests that need these programs can run here, and prints why not. Where CI is set it is always
 * true: there a missing program is a failure, not a reason to leave tests out.
 */
export function canRun(...programs: readonly Program[]): boolean {
  const reason = missing(...programs);
  if (reason === null || process.env['CI']) return true;
  process.stdout.write(`  skipped what needs ${programs.join(', ')}: ${reason}\n`);
  return false;
}
