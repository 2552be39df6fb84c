import { Process } from '@tidemark/servers';
import { waitFor } from './wait-for.js';

/** DiskFaults makes the disk of a running process fail or crawl, until it is ended. It needs strace. */
export class DiskFaults {
  private constructor(private readonly tracer: Process) {}

  /** inject changes what the process's calls of fsync and fdatasync do, such as `error=EIO` or `delay_enter=200000`. */
  static async inject(target: Process, fault: string): Promise<DiskFaults> {
    const calls = 'fsync,fdatasync';
    const args = ['-f', '-p', String(target.pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${fault}`];
    const tracer = Process.start({ command: 'strace', args });
    await waitFor('strace to attach', () => tracer.output.includes('attached'));
    return new DiskFaults(tracer);
  }

  /** end lets the disk work again. */
  async end(): Promise<void> {
    await this.tracer.end('SIGTERM');
  }
}
