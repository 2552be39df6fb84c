import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CommandError, quietly, ROOT } from './command.mjs';
import { missingPackages } from './install.mjs';
import { nodeFault } from './node-version.mjs';
import { digestOf, isFresh, removeStamp, writeStamp } from './stamp.mjs';
import { step } from './step.mjs';

describe('the version of Node', () => {
  it.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.1.0-nightly2026'])('%s is new enough', (version) => {
    expect(nodeFault(version)).toBeNull();
  });

  it.each(['v20.18.3', 'v18.20.0', 'v8.0.0', 'what'])('%s is refused in one line that says what to do', (version) => {
    expect(nodeFault(version)).toMatch(/^Tidemark needs Node\.js 20\.19\.0 or newer, and this is .*nodejs\.org.*$/);
  });
});

describe('what is missing of the packages', () => {
  const lock = {
    packages: {
      '': { name: 'tidemark' },
      'libs/types': { version: '0.1.0' },
      'node_modules/@tidemark/types': { resolved: 'libs/types', link: true },
      'node_modules/ajv': { version: '8.20.0', integrity: 'sha512-a' },
      'node_modules/fsevents': { version: '2.0.0', optional: true },
      'node_modules/readdirp': { version: '4.1.2', extraneous: true },
    },
  };
  const { 'node_modules/fsevents': _other, 'node_modules/readdirp': _unneeded, ...present } = lock.packages;

  it('is nothing when the tree holds what the lock says, but for what suits other machines', () => {
    expect(missingPackages(lock, { packages: present })).toEqual([]);
  });

  it('is everything when nothing was ever installed', () => {
    expect(missingPackages(lock, null)).toEqual(Object.keys(lock.packages).slice(2));
  });

  it('is a package whose version or contents differ, and a workspace that has no link', () => {
    const changed = { ...present, 'node_modules/ajv': { version: '8.20.0', integrity: 'sha512-b' } };
    expect(missingPackages(lock, { packages: changed })).toEqual(['node_modules/ajv']);
    const { 'node_modules/@tidemark/types': _link, ...unlinked } = present;
    expect(missingPackages(lock, { packages: unlinked })).toEqual(['node_modules/@tidemark/types']);
  });
});

describe('a stamp', () => {
  let folder;
  let paths;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-stamp-'));
    mkdirSync(join(folder, 'src/deep'), { recursive: true });
    paths = { stamp: join(folder, 'cache/stamp'), source: join(folder, 'src/deep/a.ts'), output: join(folder, 'a.js') };
    writeFileSync(paths.source, 'one');
    writeFileSync(paths.output, 'built');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  const inputs = () => [join(folder, 'src')];
  const fresh = () => isFresh(paths.stamp, inputs(), [paths.output]);
  const write = () => writeStamp(paths.stamp, digestOf(inputs()), [paths.output]);

  it('is fresh only between being written and being removed', () => {
    expect(fresh()).toBe(false);
    write();
    expect(fresh()).toBe(true);
    removeStamp(paths.stamp);
    expect(fresh()).toBe(false);
  });

  it('goes stale with the content, the name or the number of the sources', () => {
    write();
    writeFileSync(paths.source, 'two');
    expect(fresh()).toBe(false);
    writeFileSync(paths.source, 'one');
    expect(fresh()).toBe(true);
    writeFileSync(join(folder, 'src/b.ts'), '');
    expect(fresh()).toBe(false);
  });

  it('stays fresh when a source is only touched, or a test is written', () => {
    write();
    utimesSync(paths.source, 1, 1);
    writeFileSync(join(folder, 'src/b.test.ts'), 'a test');
    expect(fresh()).toBe(true);
  });

  it('goes stale when someone else writes or removes the output', () => {
    write();
    utimesSync(paths.output, 1, 1);
    expect(fresh()).toBe(false);
    write();
    rmSync(paths.output);
    expect(fresh()).toBe(false);
  });
});

describe('a step', () => {
  function paper(isTTY) {
    const lines = [];
    return { isTTY, write: (text) => lines.push(text), text: () => lines.join('') };
  }

  it('is two plain lines where nobody watches', async () => {
    const out = paper(false);
    expect(await step({ doing: 'Building', done: 'Built', note: 'once' }, async () => 7, out)).toBe(7);
    expect(out.text()).toMatch(/^Building \(once\)\nBuilt in \d+\.\d s\n$/);
  });

  it('leaves one line on a terminal', async () => {
    const out = paper(true);
    await step({ doing: 'Building', done: 'Built' }, async () => {}, out);
    expect(out.text().split('\r\x1b[K').at(-1)).toMatch(/^Built in \d+\.\d s\n$/);
  });

  it('says that it failed and passes the error on', async () => {
    const out = paper(false);
    const failing = step({ doing: 'Building', done: 'Built' }, () => Promise.reject(new Error('no')), out);
    await expect(failing).rejects.toThrow('no');
    expect(out.text()).toMatch(/Building failed after/);
  });
});

describe('a command', () => {
  it('fails with the last lines it printed, of both streams', async () => {
    const script = 'for (let i = 0; i < 100; i++) console.log(i); console.error("the reason"); process.exitCode = 3';
    const error = await quietly(process.execPath, ['-e', script]).catch((caught) => caught);
    expect(error).toBeInstanceOf(CommandError);
    expect(error.message).toMatch(/ended with 3$/);
    expect(error.tail.split('\n')).toHaveLength(40);
    expect(error.tail).toMatch('the reason');
  });

  it('that does not exist is a failure, not a crash', async () => {
    await expect(quietly('no-such-command-here', [])).rejects.toThrow('ENOENT');
  });
});

describe('npm start and its kin', () => {
  it.each(['start.mjs', 'test.mjs'])('%s --help prints how to use it and does nothing else', (file) => {
    const { stdout, status } = spawnSync(process.execPath, [join(ROOT, 'tools', file), '--help'], { encoding: 'utf8' });
    expect(stdout).toMatch(/^npm (start|test)/);
    expect(status).toBe(0);
  });

  it.each([['--port', '9000'], ['9000'], ['--port=9000']])(
    'start.mjs refuses what it does not know: %s %s',
    (...args) => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [join(ROOT, 'tools/start.mjs'), ...args], {
        encoding: 'utf8',
      });
      expect(stderr).toMatch(
        /^npm start: (--port|9000|--port 9000): only --help and --version .* API_PORT=9000 npm start/,
      );
      expect([stdout, status]).toEqual(['', 2]);
    },
  );

  it('start.mjs --version prints the version and does nothing else', () => {
    const { stdout, status } = spawnSync(process.execPath, [join(ROOT, 'tools/start.mjs'), '--version'], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(status).toBe(0);
  });

  it('run.mjs names its programs when asked for another', () => {
    const { stderr, status } = spawnSync(process.execPath, [join(ROOT, 'tools/run.mjs'), 'toString'], {
      encoding: 'utf8',
    });
    expect(stderr).toMatch('npm run demo');
    expect(status).toBe(2);
  });
});
