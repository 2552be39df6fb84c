/** LineSink takes points in their encoded form: whole lines, each ended by a line feed. */
export interface LineSink {
  /**
   * writeLines resolves when every line is stored durably. It rejects with a StoreFault; the same lines may then be
   * written again, any number of times, without a point being doubled.
   */
  writeLines(lines: Uint8Array): Promise<void>;
}
