import type { WriteBatch } from '../point-store.js';
import { StoreFault } from '../store-fault.js';
import { batchContent } from './batch-content.js';
import type { InfluxConnection } from './influx-connection.js';
import { receiptLine } from './receipt.js';
import { scanLines } from './scan-lines.js';
import type { SendOutcome, Unflushed } from './unflushed.js';

/** SlotWriter sends lines with their receipt, and tells Unflushed what became of them. */
export class SlotWriter {
  constructor(
    private readonly connection: InfluxConnection,
    private readonly slot: number,
    private readonly unflushed: Unflushed,
  ) {}

  /**
   * send writes the lines of a batch; null when it is not known, as of lines that another process encoded under another
   * writer. A request that is given up may be stored all the same.
   */
  async send(lines: Uint8Array, batch: WriteBatch | null, signal?: AbortSignal): Promise<void> {
    if (lines.length === 0) return;
    const content = batch === null ? scanLines(lines) : batchContent(batch, this.slot);
    if (content.points.isEmpty && content.drifts.isEmpty) return this.connection.write('raw', lines, signal);
    const sent = this.unflushed.begin(content, batch?.points ?? null);
    const receipt = receiptLine({ ...content, slot: this.slot, ticket: sent.ticket });
    try {
      await this.connection.write('raw', withLine(lines, receipt), signal);
      this.unflushed.settle(sent, batch === null ? 'unknown' : 'stored');
    } catch (error) {
      this.unflushed.settle(sent, outcomeOf(error));
      throw error;
    }
  }
}

function outcomeOf(error: unknown): SendOutcome {
  const isRefused = error instanceof StoreFault && (error.kind === 'unauthorized' || error.kind === 'too_large');
  return isRefused ? 'absent' : 'unknown';
}

/** withLine is lines and one more, in memory of their own: that is sent without being copied again. */
function withLine(lines: Uint8Array, line: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(lines.length + Buffer.byteLength(line));
  bytes.set(lines);
  bytes.write(line, lines.length);
  return bytes;
}
