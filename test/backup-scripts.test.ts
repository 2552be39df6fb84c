import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canRun,
  closeServers,
  createDatabase,
  type LocalServer,
  startInfluxDb,
  startPostgres,
} from '@tidemark/servers';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { backupAddress } from './rig/backup-address.js';
import { runCommands } from './rig/document.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-backup-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'backups'));
});

async function standIn(name: string, ...lines: string[]): Promise<string> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  const file = join(folder, 'bin', name);
  await writeFile(file, ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
  return file;
}

/** Backs up over a stand-in for Docker Compose, whose apis do as told; answers what it was asked for. */
async function backUp(api: string): Promise<string> {
  const compose = await standIn(
    'compose',
    `echo "$*" >> "${folder}/calls"`,
    'shift 2',
    'case "$*" in',
    `  api-*) ${api} ;;`,
    '  *" mktemp "*) echo /scratch ;;',
    'esac',
  );
  const env = { TIDEMARK_COMPOSE: compose, INFLUXDB_BACKUP: '127.0.0.1:1', INFLUXDB_BUCKET: 'another' };
  await runCommands([`sh deploy/backup/backup.sh --compose "${folder}/backups/one"`], env);
  return readFile(join(folder, 'calls'), 'utf8');
}

describe('a backup over Docker Compose', () => {
  test.each([
    ['does not run', 'exit 1'],
    ['answers nothing', 'exit 0'],
    ['has no spool', 'tar -cf - -T /dev/null'],
  ])('fails and leaves nothing when an api %s', async (_, api) => {
    await expect(backUp(api)).rejects.toThrow('api-1 could not be read');
    expect(await readdir(join(folder, 'backups'))).toEqual([]);
  });

  test('takes the spools that are there, and no setting of the machine', async () => {
    const data = join(folder, 'data');
    await mkdir(join(data, 'spool'), { recursive: true });
    await writeFile(join(data, 'writer.json'), '{}');
    const calls = await backUp(`shift && exec "$1" "$2" "$3" "${data}"`);
    expect(calls).toContain('--bucket tidemark/raw /scratch/raw');
    expect(calls).not.toContain('another');
    expect(calls).toContain('exec -T influxdb rm -rf /scratch');
    expect(await readdir(join(folder, 'backups/one'))).toContain('spool-2.tar');
  });
});

test.each([
  ['postgres://me:p%40%2f%25w@db:5432/one?sslmode=disable', 'postgres://me@db:5432/one?sslmode=disable', 'p@/%w'],
  ['postgresql://me:plain:word@db', 'postgresql://me@db', 'plain:word'],
  ['postgres://me@db/one', 'postgres://me@db/one', ''],
  ['postgres://db:5432', 'postgres://db:5432', ''],
  ['postgres:///one?host=/run/a:b@c', 'postgres:///one?host=/run/a:b@c', ''],
])('the password of %s is not among the arguments', async (url, expected, password) => {
  await standIn('pg_dump', `printf '%s\\n' "$*" "\${PGPASSWORD:-}" > "${folder}/said"`, 'exit 1');
  const env = { PATH: `${folder}/bin:${process.env.PATH ?? ''}`, DATABASE_URL: url, TIDEMARK_API_FOLDERS: folder };
  await expect(runCommands([`sh deploy/backup/backup.sh "${folder}/backups/one"`], env)).rejects.toThrow();
  const said = await readFile(join(folder, 'said'), 'utf8');
  expect(said).toBe(`--format=custom --no-owner --dbname=${expected}\n${password}\n`);
});

describe('a restore over Docker Compose', () => {
  /** Restores points over a stand-in for Docker Compose, whose InfluxDB has these buckets; answers what it was asked for. */
  async function restore(buckets: readonly string[]): Promise<string> {
    const compose = await standIn(
      'compose',
      `echo "$*" >> "${folder}/calls"`,
      'case "$*" in',
      ...[
        `  *" bucket list "*) printf 'id\\t%s\\tinfinite\\n' ${buckets.join(' ')} ;;`,
        '  *" mktemp "*) echo /scratch ;;',
      ],
      'esac',
    );
    const backup = join(folder, 'backups/one');
    await mkdir(backup);
    for (const name of ['state.dump', 'a.manifest']) await writeFile(join(backup, name), '');
    const made = `tar -C "${backup}" -cf "${backup}/points.tar" a.manifest`;
    await runCommands([made, `sh deploy/backup/restore.sh --compose --only points "${backup}"`], {
      TIDEMARK_COMPOSE: compose,
    });
    return readFile(join(folder, 'calls'), 'utf8');
  }

  test('is refused where InfluxDB has a bucket of Tidemark', async () => {
    await expect(restore(['tidemark', 'tidemark/hour'])).rejects.toThrow('InfluxDB has tidemark already');
    expect(await readFile(join(folder, 'calls'), 'utf8')).not.toContain('restore');
  });

  test('makes every bucket where there is none of Tidemark', async () => {
    const calls = await restore(['tidemark', 'another/tidemark/raw']);
    for (const shelf of ['meta', 'minute', 'hour', 'raw'])
      expect(calls).toContain(`restore --org tidemark --bucket tidemark/${shelf} /scratch/${shelf}`);
  });
});

describe.skipIf(!canRun('postgres', 'influxd'))('a restore', () => {
  let postgres: LocalServer;
  let influxdb: LocalServer;
  let backup: string;
  let home: string;
  beforeAll(async () => {
    [postgres, influxdb] = await Promise.all([startPostgres(), startInfluxDb()]);
    home = await mkdtemp(join(tmpdir(), 'tidemark-restore-'));
    backup = join(home, 'backup');
    await ask(postgres.url, 'CREATE TABLE kept (id int)');
    await ofInflux('CREATE DATABASE tidemark');
    for (const shelf of ['meta', 'minute', 'hour', 'raw'])
      await ofInflux(`CREATE RETENTION POLICY ${shelf} ON tidemark DURATION INF REPLICATION 1`);
    await fetch(`${influxdb.url}/write?db=tidemark&rp=raw`, { method: 'POST', body: 'point value=1' });
    await mkdir(join(home, 'api/spool'), { recursive: true });
    await writeFile(join(home, 'api/writer.json'), '{}');
    await run('backup.sh', { DATABASE_URL: postgres.url, TIDEMARK_API_FOLDERS: join(home, 'api') });
    await ofInflux('DROP DATABASE tidemark');
  });
  afterAll(async () => {
    await closeServers([postgres, influxdb]);
    await rm(home, { recursive: true });
  });

  /** What a statement answers, by the program that the scripts use. */
  async function ask(url: string, statement: string): Promise<string> {
    return (await runCommands([`psql -XAtq --dbname="${url}" --command="${statement}"`], {})).trim();
  }

  async function ofInflux(statement: string): Promise<string> {
    const answer = await fetch(`${influxdb.url}/query?q=${encodeURIComponent(statement)}`, { method: 'POST' });
    return answer.text();
  }

  async function run(script: string, env: Readonly<Record<string, string>>, of = backup): Promise<string> {
    const address = { INFLUXDB_BACKUP: await backupAddress(influxdb) };
    return runCommands([`sh deploy/backup/${script} "${of}"`], { ...address, ...env });
  }

  const places = async (name: string) => ({
    DATABASE_URL: await createDatabase(postgres, name),
    TIDEMARK_API_FOLDERS: join(folder, 'api'),
  });

  const restored = async ({ DATABASE_URL: url }: { readonly DATABASE_URL: string }) => ({
    tables: await ask(url, `SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'`),
    points: (await ofInflux('SHOW DATABASES')).includes('tidemark'),
    spool: await readdir(join(folder, 'api')).catch(() => []),
  });

  const NOTHING = { tables: '', points: false, spool: [] };

  /** A copy of the backup in which a part has lost its end: of an archive, more than what only fills it up. */
  async function damaged(part: string, kept: number): Promise<string> {
    const copy = join(folder, 'damaged');
    await cp(backup, copy, { recursive: true });
    const file = join(copy, part);
    await truncate(file, Math.floor((await stat(file)).size * kept));
    return copy;
  }

  test('is refused, before anything is restored, where PostgreSQL has tables', async () => {
    const to = await places('occupied');
    await ask(to.DATABASE_URL, 'CREATE TABLE other (id int)');
    await expect(run('restore.sh', to)).rejects.toThrow('the database in PostgreSQL is not empty');
    expect(await restored(to)).toEqual({ ...NOTHING, tables: 'other' });
  });

  test('is refused, before anything is restored, where InfluxDB has points', async () => {
    const to = await places('without_influxdb');
    await ofInflux('CREATE DATABASE tidemark');
    onTestFinished(async () => void (await ofInflux('DROP DATABASE tidemark')));
    await expect(run('restore.sh', to)).rejects.toThrow('database may already exist');
    expect(await restored(to)).toEqual({ ...NOTHING, points: true });
    expect(await ofInflux('SHOW MEASUREMENTS ON tidemark')).not.toContain('point');
  });

  test.each([
    ['state.dump', 0.9],
    ['points.tar', 0.3],
  ])('is refused, before anything is restored, where %s has lost its end', async (part, kept) => {
    const to = await places(part.replace('.', '_'));
    await expect(run('restore.sh', to, await damaged(part, kept))).rejects.toThrow(`${part} is damaged`);
    expect(await restored(to)).toEqual(NOTHING);
  });

  test('brings back each part where all is empty', async () => {
    const to = await places('fresh');
    await run('restore.sh', to);
    onTestFinished(async () => void (await ofInflux('DROP DATABASE tidemark')));
    expect(await restored(to)).toEqual({ tables: 'kept', points: true, spool: ['spool', 'writer.json'] });
    expect(await ofInflux('SELECT value FROM tidemark.raw.point')).toContain('"value"');
  });
});
