import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderFault } from './folder-fault.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'folder-fault-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('a folder that can be made is no fault', () => {
  expect(folderFault(join(root, 'a', 'b'))).toBeNull();
});

test('a folder that cannot be made is a fault that names the variable, the folder and the reason', () => {
  writeFileSync(join(root, 'file'), '');

  expect(folderFault(join(root, 'file'))).toBe(
    `TIDEMARK_DATA_DIR: ${join(root, 'file')} cannot be written (EEXIST); choose a folder that this user may write`,
  );
});
