import type { WriteBatch } from '../point-store.js';
import { MINUTE_MS } from '../rollup-id.js';
import { IntervalSet } from './interval-set.js';
import type { LinesContent } from './scan-lines.js';
import { SeqSets } from './seq-sets.js';

/** batchContent is what scanLines would find in the lines of a batch, for who has the batch still. */
export function batchContent({ points, drifts }: Omit<WriteBatch, 'records'>, writer: number): LinesContent {
  const content = { minutes: new IntervalSet(), points: new SeqSets(), drifts: new SeqSets(), newestMs: -Infinity };
  if (points.length > 0) {
    const seqs = content.points.of(writer);
    let last = NaN;
    for (const { seq, timestampMs } of points) {
      seqs.add(seq);
      const minute = Math.floor(timestampMs / MINUTE_MS);
      if (minute !== last && !content.minutes.has(minute)) content.minutes.add(minute);
      last = minute;
      if (timestampMs > content.newestMs) content.newestMs = timestampMs;
    }
  }
  for (const { seq } of drifts) content.drifts.of(writer).add(seq);
  return content;
}
