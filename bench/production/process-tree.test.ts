import { describe, expect, it } from 'vitest';
import { parseStat, treeMs } from './process-tree.js';

describe('parseStat', () => {
  it('reads the parent and all four times, whatever the program is called', () => {
    const line = '42 (odd) name (x) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 99 1 2';
    expect(parseStat(line)).toEqual({ pid: 42, parent: 7, cpuMs: 1270 });
  });
});

describe('treeMs', () => {
  const processes = [
    { pid: 1, parent: 0, cpuMs: 1000 },
    { pid: 5, parent: 1, cpuMs: 10 },
    { pid: 6, parent: 5, cpuMs: 20 },
    { pid: 7, parent: 6, cpuMs: 30 },
    { pid: 8, parent: 1, cpuMs: 40 },
  ];

  it('adds up a process and its descendants and nobody else', () => {
    expect(treeMs(processes, 5)).toBe(60);
    expect(treeMs(processes, 8)).toBe(40);
  });

  it('is 0 for a process that is not there', () => {
    expect(treeMs(processes, 99)).toBe(0);
  });
});
