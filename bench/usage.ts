import { existsSync, readFileSync } from 'node:fs';

/** Usage is what a process takes: its memory in MB (10^6 bytes), and its processor time so far in ms. */
export interface Usage {
  readonly rssMb: number;
  readonly cpuMs: number;
}

/** The kernel counts processor time in hundredths of a second on every platform that Node runs on. */
const TICK_MS = 10;

/** canReadUsage tells whether this system shows what its processes take (Linux). */
export const canReadUsage = existsSync('/proc/self/stat');

/** readUsage reads what a process takes, all its threads together; zeros where the system does not show it. */
export function readUsage(pid: number): Usage {
  if (!canReadUsage) return { rssMb: 0, cpuMs: 0 };
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  return { rssMb: (rssKib * 1024) / 1e6, cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}
