import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RotatingLog } from './rotating-log.js';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-log-'));
  file = join(folder, 'a.log');
});

afterEach(() => rmSync(folder, { recursive: true }));

const read = (path: string) => readFileSync(path, 'utf8');

describe('RotatingLog', () => {
  it('keeps what an earlier run left as .1, and the newest of it only', () => {
    for (const run of ['first', 'second', 'third']) {
      const log = RotatingLog.open(file);
      log.add(run);
      log.close();
    }
    expect([read(file), read(`${file}.1`)]).toEqual(['third', 'second']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('never takes more than twice its bound, whatever is written', () => {
    const log = RotatingLog.open(file, 1000);
    for (let i = 0; i < 500; i++) {
      log.add(`line ${i}\n`);
      const bytes = [file, `${file}.1`].map((path) => (existsSync(path) ? statSync(path).size : 0));
      expect(Math.max(...bytes)).toBeLessThanOrEqual(1000);
    }
    log.close();
    expect(read(file)).toMatch(/line 499\n$/);
    expect(read(`${file}.1`) + read(file)).toMatch(/line 450\n/);
  });

  it('says how much could not be written, once it can be again', () => {
    const log = RotatingLog.open(file, 10);
    log.add('before\n');
    rmSync(folder, { recursive: true });
    log.add('lost lost\n');
    mkdirSync(folder);
    log.close();
    writeFileSync(file, '');
    log.add('after\n');
    log.close();
    expect(read(file)).toBe('\n[10 bytes could not be written here]\nafter\n');
  });
});
