import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './command.mjs';

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const pathsWhere = (isSo) => Object.keys(packages).filter((path) => isSo(packages[path], path));

describe('package-lock.json', () => {
  it('has the digest of every package that comes from the registry', () => {
    const isLocked = ({ integrity }) => /^sha512-[A-Za-z0-9+/]{86}==/.test(integrity);
    const isFromRegistry = ({ link, version }, path) =>
      path.includes('node_modules/') && !link && version !== undefined;
    const fromRegistry = pathsWhere(isFromRegistry);
    expect(fromRegistry.length).toBeGreaterThan(100);
    expect(fromRegistry.filter((path) => !isLocked(packages[path]))).toEqual([]);
  });

  it('lists nothing that nobody needs, nor anything that runs a script when it is installed', () => {
    expect(pathsWhere(({ extraneous }) => extraneous)).toEqual([]);
    expect(pathsWhere(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
  });
});
