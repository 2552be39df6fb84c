import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** SmallDisk is a file system in memory of a few megabytes. Mounting one needs root. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  /** mount makes one for the test that runs now; it answers why not where that is not permitted. */
  static async mount(megabytes: number): Promise<SmallDisk | string> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tidemark-test', folder]);
    } catch (error) {
      await rm(folder, { recursive: true });
      return `a tmpfs cannot be mounted here (${error instanceof Error ? error.message.trim() : String(error)})`;
    }
    onTestFinished(async () => {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true });
    });
    return new SmallDisk(folder);
  }

  /** resize gives it another size, under whoever uses it. */
  async resize(megabytes: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${megabytes}m`, this.folder]);
  }

  /** fill leaves no free byte. */
  async fill(): Promise<void> {
    for (let bytes = 1_048_576; bytes >= 512; bytes /= 2) {
      for (let part = 0; ; part++) {
        try {
          await writeFile(join(this.folder, `filler-${bytes}-${part}`), Buffer.alloc(bytes));
        } catch {
          break;
        }
      }
    }
  }

  /** clear takes away what fill wrote. */
  async clear(): Promise<void> {
    await run('find', [this.folder, '-name', 'filler-*', '-delete']);
  }
}
