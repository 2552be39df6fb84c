import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_PROJECT, Keys, openSqliteState, Projects, type State } from '@tidemark/state';
import { type Scope, SCOPES } from '@tidemark/types';
import { readConfig } from './config.js';
import { folderFault } from './platform/folder-fault.js';

const HELP = `Makes, lists and revokes API keys in the data folder (TIDEMARK_DATA_DIR), or in the database at DATABASE_URL where it
is set, also while the server runs.

  npm run keys -- create [--name NAME] [--project PROJECT] [--scopes read,write,admin]
  npm run keys -- list   [--project PROJECT]
  npm run keys -- revoke ID [--project PROJECT]

A key is shown once, when it is made. From the first key on, every request needs one.
`;

const PROJECT = /^[a-z0-9][a-z0-9_-]{0,62}$/;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === 'string') return fail(parsed);
  const { command, id, name, project, scopes } = parsed;
  if (command === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const outcome = readConfig(process.env);
  if (!outcome.ok) return fail(outcome.faults.join('\n'));
  const { databaseUrl, dataDir } = outcome.config;
  const folder = databaseUrl === null ? folderFault(dataDir) : null;
  if (folder !== null) return fail(folder);
  const state =
    databaseUrl === null ? await openSqliteState(join(dataDir, 'state.db')) : await openDatabase(databaseUrl);
  try {
    const keys = new Keys(state);
    const nowMs = Date.now();
    if (command === 'create') {
      await new Projects(state).ensure(project, nowMs);
      const { key, text } = await keys.create({ project, name, scopes, nowMs, random: randomBytes });
      process.stderr.write(
        `made key ${key.id} of project ${project} (${scopes.join(', ')}); keep it, it is shown only now:\n`,
      );
      process.stdout.write(`${text}\n`);
    } else if (command === 'list') {
      for (const key of await keys.list(project)) {
        process.stdout.write(
          `${key.id}  ${key.scopes.join(',')}  ${new Date(key.createdMs).toISOString()}  ${key.name}\n`,
        );
      }
    } else if (!(await keys.revoke(project, id, nowMs))) return fail(`there is no key "${id}" in project ${project}`);
    return 0;
  } finally {
    await state.close();
  }
}

interface Wanted {
  readonly command: 'create' | 'list' | 'revoke' | 'help';
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly scopes: readonly Scope[];
}

/** parse reads the command line, or says what is wrong with it. */
function parse(args: string[]): Wanted | string {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        name: { type: 'string', default: 'made on the command line' },
        project: { type: 'string', default: DEFAULT_PROJECT },
        scopes: { type: 'string', default: SCOPES.join(',') },
      },
    });
    const [command = 'help', id = ''] = values.help ? ['help'] : positionals;
    if (command !== 'create' && command !== 'list' && command !== 'revoke' && command !== 'help')
      return `"${command}" is not a command`;
    if (command === 'revoke' && id === '') return 'revoke needs the id of a key';
    if (!PROJECT.test(values.project)) return `"${values.project}" is not the name of a project (a-z, 0-9, - and _)`;
    const scopes = values.scopes.split(',').map((scope) => SCOPES.find((known) => known === scope.trim()));
    const known = scopes.filter((scope) => scope !== undefined);
    if (known.length !== scopes.length) return `--scopes takes ${SCOPES.join(', ')}, separated by commas`;
    return { command, id, name: values.name, project: values.project, scopes: known };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function openDatabase(url: string): Promise<State> {
  const { openPostgresState } = await import('@tidemark/state/postgres');
  return openPostgresState({ url });
}

function fail(reason: string): number {
  process.stderr.write(`tidemark keys: ${reason}\nTry: npm run keys -- --help\n`);
  return 1;
}
