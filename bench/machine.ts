import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { medianOf } from './percentiles.js';

/** Machine is where figures were measured; without it they say little. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** syncMs is the median time of making 4 KiB durable on the disk that the data is on. */
  readonly syncMs: number;
}

/** describeMachine looks at this machine; `folder` is on the disk to try. */
export function describeMachine(folder: string): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.version,
    syncMs: syncMs(folder),
  };
}

function syncMs(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `sync-${process.pid}.tmp`);
  const handle = openSync(file, 'w');
  try {
    const block = Buffer.alloc(4096, 1);
    const samples = Array.from({ length: 50 }, () => {
      const beginMs = performance.now();
      writeSync(handle, block);
      fdatasyncSync(handle);
      return performance.now() - beginMs;
    });
    return medianOf(samples);
  } finally {
    closeSync(handle);
    rmSync(file);
  }
}
