import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from './make-folder.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'make-folder-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('a folder is made with those above it, for this user alone', () => {
  makeFolder(join(root, 'a', 'b', 'c'));

  expect(statSync(join(root, 'a', 'b', 'c')).mode & 0o777).toBe(0o700);
  expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o700);
});

test('a folder that is there stays as it is', () => {
  makeFolder(join(root, 'a'));
  writeFileSync(join(root, 'a', 'kept'), '');

  makeFolder(join(root, 'a'));

  expect(existsSync(join(root, 'a', 'kept'))).toBe(true);
});

test('a file in the way is an error', () => {
  writeFileSync(join(root, 'file'), '');

  expect(() => makeFolder(join(root, 'file'))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(root, 'file', 'below'))).toThrow();
});

test.runIf(process.platform === 'linux')('a file system that makes no folders is an error, not a wait for ever', () => {
  expect(() => makeFolder('/proc/tidemark')).toThrow(/ENOENT/);
  expect(() => makeFolder('/proc/tidemark/data')).toThrow(/ENOENT/);
});
