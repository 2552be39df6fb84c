import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { promisify } from 'node:util';
import { LocalServer, type Place, type ServerKind, type ServerOptions } from './local-server.js';
import { postgresProgram, requireProgram } from './programs.js';

const run = promisify(execFile);

/** startPostgres starts a PostgreSQL with one database, `tidemark`, whose owner is `postgres` without a password. */
export function startPostgres(options: ServerOptions = {}): Promise<LocalServer> {
  return LocalServer.start(POSTGRES, options);
}

/** createDatabase makes another empty database on a server that startPostgres started, and answers its URL. */
export async function createDatabase(server: LocalServer, name: string): Promise<string> {
  const { port } = server.place;
  await run(tool('createdb'), ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', name], { timeout: 20_000 });
  return `postgres://postgres@127.0.0.1:${port}/${name}`;
}

const POSTGRES: ServerKind = {
  name: 'PostgreSQL',
  prepare,
  command: ({ folder, port }) => ({
    command: requireProgram('postgres'),
    args: [
      ...['-D', `${folder}/data`, '-p', String(port), '-k', '', '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'max_connections=200', '-c', 'shared_buffers=32MB', '-c', 'log_checkpoints=off'],
    ],
    ...owner(),
  }),
  isReady: async ({ port }) => {
    await run(tool('pg_isready'), ['-h', '127.0.0.1', '-p', String(port), '-q'], { timeout: 5000 });
    return true;
  },
  url: ({ port }) => `postgres://postgres@127.0.0.1:${port}/postgres`,
  stopSignal: 'SIGINT',
  // Its processes are of several groups: those of a server that was killed may still be at their last write.
  isPassing: (output) => output.includes('pre-existing shared memory block'),
};

/** The data folder is made once; the server refuses to run as root, so then the user of Debian's package runs it. */
async function prepare({ folder }: Place): Promise<void> {
  if (existsSync(`${folder}/data/PG_VERSION`)) return;
  const user = owner();
  await chmod(folder, 0o700);
  if (user) {
    await chown(folder, user.uid, user.gid);
    await requireEntry(folder, user);
  }
  const args = ['-D', `${folder}/data`, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  await run(tool('initdb'), args, { ...user, timeout: 60_000, cwd: folder });
}

async function requireEntry(folder: string, user: Owner): Promise<void> {
  try {
    await run('/usr/bin/test', ['-x', folder], { ...user, timeout: 5000, cwd: '/' });
  } catch (cause) {
    const why = 'as root, PostgreSQL runs as the user postgres, who cannot get into it: a folder above it is closed';
    throw new Error(`${folder}: ${why}; choose another place, or open that folder with chmod o+x`, { cause });
  }
}

function tool(name: string): string {
  const file = postgresProgram(name);
  if (file === null) throw new Error(`${name} is not here: sudo apt-get install postgresql`);
  return file;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function owner(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('/usr/bin/id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
