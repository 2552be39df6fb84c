import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
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
