import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, missing, startInfluxDb, startPostgres } from '@tidemark/servers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backupAddress } from './rig/backup-address.js';
import { Scene } from './rig/backup-scene.js';
import { commandsUnder, printedBy, runCommands, startCommands } from './rig/document.js';
import { EMBEDDED } from './rig/embedded-platform.js';
import { openPlatform } from './rig/platform.js';
import { ProductionPlatform } from './rig/production-platform.js';
import { HttpSink } from './rig/receivers/http-sink.js';
import { skipUnless } from './rig/skip.js';
import { waitFor } from './rig/wait-for.js';

const absent = missing('postgres', 'redis-server', 'influxd', 'nginx');
const KEYS = [{ name: 'first' }];
const APIS = ['api-1', 'api-2'];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-backup-'));
  // Started by root, PostgreSQL is another user, who must get through.
  await chmod(folder, 0o711);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function newSink(): Promise<HttpSink> {
  const sink = await HttpSink.open();
  onTestFinished(() => sink.close());
  return sink;
}

describe('a backup of one process', () => {
  test('that was taken while it ran brings back all that was acknowledged before', async () => {
    const [folder, sink] = [await newFolder(), await newSink()];
    const env = { TIDEMARK_DATA_DIR: join(folder, 'data'), BACKUP: join(folder, 'backups/one') };
    const platform = await openPlatform(EMBEDDED, { dataDir: env.TIDEMARK_DATA_DIR, keys: KEYS });
    const api = platform.client({ key: platform.keys[0] });
    const scene = await Scene.play(platform, api, sink);
    const acknowledged = scene.acknowledged();
    const printed = await runCommands(await commandsUnder('backup.md', 'Back up one process'), env);
    expect(printed).toContain(`backed up to ${env.BACKUP}`);
    await scene.stop();
    await platform.kill();

    const restore = await commandsUnder('backup.md', 'Restore one process');
    expect(restore.at(-1)).toBe('npm start');
    await runCommands(restore.slice(0, -1), env);
    await rm(`${env.TIDEMARK_DATA_DIR}.lost`, { recursive: true });
    await platform.start();
    await scene.expectRestored(api, acknowledged);
    await scene.expectGoesOn(api, sink, 'later');
  });
});

/** Where backup.sh and restore.sh find the parts of a stack. */
async function placesOf(folder: string, postgres: LocalServer, influxdb: LocalServer): Promise<Record<string, string>> {
  return {
    DATABASE_URL: postgres.url,
    INFLUXDB_BACKUP: await backupAddress(influxdb),
    TIDEMARK_API_FOLDERS: APIS.map((name) => join(folder, name)).join(' '),
  };
}

/** Runs the page's commands over new servers in the folder, or those that it has, as before a start of the stack. */
async function restore(folder: string, commands: readonly string[], backup: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const postgres = await startPostgres({ folder: join(folder, 'postgres') });
  const influxdb = await startInfluxDb({ folder: join(folder, 'influxdb') });
  try {
    await runCommands(commands, { ...(await placesOf(folder, postgres, influxdb)), BACKUP: backup });
  } finally {
    await influxdb.close();
    await postgres.close();
  }
}

describe('a backup of several instances', () => {
  test('that was taken while they ran brings back all that was acknowledged before', async (context) => {
    skipUnless(context, absent);
    const [folder, sink] = [await newFolder(), await newSink()];
    const [old, fresh, backup] = ['old', 'fresh', 'backups/one'].map((name) => join(folder, name));
    if (!old || !fresh || !backup) throw new Error('no folders');
    const first = await ProductionPlatform.open({ dataDir: old, keys: KEYS });
    onTestFinished(() => first.close());
    const key = first.keys[0];
    const scene = await Scene.play(first, first.client({ key }), sink);
    // Some of what is acknowledged waits in the spools when the backup begins.
    const { influxdb, postgres } = first.stack;
    const before = scene.acknowledged().length;
    influxdb.pause();
    await expect.poll(() => scene.acknowledged().length, { timeout: 30_000 }).toBeGreaterThan(before + 10);
    const acknowledged = scene.acknowledged();
    const env = { ...(await placesOf(old, postgres, influxdb)), BACKUP: backup };
    const backingUp = startCommands(await commandsUnder('backup.md', 'Back up several instances'), env);
    await waitFor('the spools to be copied', () => backingUp.output.includes('InfluxDB, meta'));
    influxdb.resume();
    await printedBy(backingUp);
    const spooled = await Promise.all(
      ['spool-1.tar', 'spool-2.tar'].map((name) => readFile(join(backup, name), 'latin1')),
    );
    expect(spooled.join('')).toContain('.segment');
    const secret = await readFile(join(old, 'secret'), 'utf8');
    await scene.stop();
    await first.close();
    await rm(old, { recursive: true });

    const commands = await commandsUnder('backup.md', 'Restore several instances');
    await restore(fresh, commands, backup);
    await writeFile(join(fresh, 'secret'), secret, { mode: 0o600 });
    const second = await ProductionPlatform.open({ dataDir: fresh });
    onTestFinished(() => second.close());
    const api = second.client({ key });
    await scene.expectRestored(api, acknowledged);
    await scene.expectGoesOn(api, sink, 'later');

    // InfluxDB alone is lost, and restored to a moment before that of PostgreSQL.
    await second.stop();
    await second.close();
    await rm(join(fresh, 'influxdb'), { recursive: true });
    await restore(
      fresh,
      commands.map((line) => line.replace('restore.sh', 'restore.sh --only points')),
      backup,
    );
    const third = await ProductionPlatform.open({ dataDir: fresh });
    onTestFinished(() => third.close());
    await scene.expectGoesOn(third.client({ key }), sink, 'after that');
  }, 300_000);

  test('is refused where something is there already', async (context) => {
    skipUnless(context, absent);
    const folder = await newFolder();
    const scratch = await newFolder();
    const servers = { DATABASE_URL: 'postgres://nowhere', INFLUXDB_BACKUP: 'nowhere', TMPDIR: scratch };
    const env = { ...servers, TIDEMARK_API_FOLDERS: folder };
    const run = (script: string) => runCommands([`sh deploy/backup/${script} "${folder}"`], env);
    await expect(run('backup.sh')).rejects.toThrow(`${folder} is there already`);
    await expect(run('restore.sh')).rejects.toThrow(`${folder} holds no backup`);
    for (const name of ['state.dump', 'points.tar', 'spool-1.tar']) await writeFile(join(folder, name), '');
    await expect(run('restore.sh')).rejects.toThrow('spool-1.tar is damaged');
    await mkdir(join(folder, 'spool'));
    await writeFile(join(folder, 'writer.json'), '');
    await runCommands([`cd "${folder}"`, 'tar -cf spool-1.tar writer.json spool'], {});
    await expect(run('restore.sh')).rejects.toThrow(`${folder} has a spool already`);
    expect(await readdir(scratch)).toEqual([]);
  });
});
