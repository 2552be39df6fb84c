import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** ProcessTime is what the kernel says of a process: whose child it is, and its processor time with that of its ended children. */
export interface ProcessTime {
  readonly pid: number;
  readonly parent: number;
  readonly cpuMs: number;
}

/** The kernel counts processor time in hundredths of a second on every platform that Node runs on. */
const TICK_MS = 10;

/** parseStat reads a line of /proc/<pid>/stat (proc(5)). */
export function parseStat(line: string): ProcessTime {
  // The second field is the program's name in brackets and may hold anything.
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  // utime, stime, and those of the children that it has waited for
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? NaN), 0);
  return { pid: Number.parseInt(line, 10), parent: fields[1] ?? NaN, cpuMs: ticks * TICK_MS };
}

/** treeMs adds up a process and all that descend from it. */
export function treeMs(processes: readonly ProcessTime[], root: number): number {
  const sum = (one: ProcessTime): number =>
    processes.filter(({ parent }) => parent === one.pid).reduce((total, child) => total + sum(child), one.cpuMs);
  const first = processes.find(({ pid }) => pid === root);
  return first ? sum(first) : 0;
}

/** readProcesses reads all processes of this machine (Linux); none where the system does not show them. */
export function readProcesses(): ProcessTime[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))];
      } catch {
        return []; // it ended just now
      }
    });
}
