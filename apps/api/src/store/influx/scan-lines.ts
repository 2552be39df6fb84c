import { MINUTE_MS } from '../rollup-id.js';
import { IntervalSet } from './interval-set.js';
import { DRIFT, POINTS } from './names.js';
import { SeqSets } from './seq-sets.js';

const [LINE_FEED, SPACE, COMMA, BACKSLASH, EQUALS] = [10, 32, 44, 92, 61];
const NS_DIGITS = 6;

/** LinesContent is what lines of our own encoding hold: which points, of which minutes. */
export interface LinesContent {
  /** Minutes since the epoch that have points. */
  readonly minutes: IntervalSet;
  readonly points: SeqSets;
  readonly drifts: SeqSets;
  /** Epoch ms; -Infinity without points. */
  newestMs: number;
}

/**
 * scanLines reads the ends of lines that BatchEncoder wrote: `seq` is their last field. It looks at the lines and not at
 * the batch, because what a spool drains later, in halves perhaps, is only lines.
 */
export function scanLines(lines: Uint8Array): LinesContent {
  const content: LinesContent = {
    minutes: new IntervalSet(),
    points: new SeqSets(),
    drifts: new SeqSets(),
    newestMs: -Infinity,
  };
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  for (let from = 0; from < bytes.length;) {
    const end = endOf(bytes, from);
    if (startsWith(bytes, from, POINTS_START)) scanLine(bytes, { from, end }, content, content.points);
    else if (startsWith(bytes, from, DRIFT_START)) scanLine(bytes, { from, end }, content, content.drifts);
    from = end + 1;
  }
  return content;
}

const POINTS_START = Buffer.from(`${POINTS},`);
const DRIFT_START = Buffer.from(`${DRIFT},`);

interface Line {
  readonly from: number;
  readonly end: number;
}

function scanLine(bytes: Buffer, { from, end }: Line, content: LinesContent, seqs: SeqSets): void {
  const timeAt = bytes.lastIndexOf(SPACE, end - 1) + 1;
  const timeMs = numberAt(bytes, timeAt, end - NS_DIGITS);
  // "…,seq=123i 1700000000000000123"
  const seqAt = bytes.lastIndexOf(EQUALS, timeAt - 2) + 1;
  const seq = numberAt(bytes, seqAt, timeAt - 2);
  seqs.of(writerOf(bytes, from)).add(seq);
  if (seqs !== content.points) return;
  const minute = Math.floor(timeMs / MINUTE_MS);
  if (!content.minutes.has(minute)) content.minutes.add(minute);
  if (timeMs > content.newestMs) content.newestMs = timeMs;
}

/** writerOf reads the last tag of a line: the first space that no backslash escapes ends it. */
function writerOf(bytes: Buffer, from: number): number {
  let space = bytes.indexOf(SPACE, from);
  while (bytes[space - 1] === BACKSLASH) space = bytes.indexOf(SPACE, space + 1);
  return numberAt(bytes, bytes.lastIndexOf(EQUALS, space) + 1, space);
}

function numberAt(bytes: Buffer, from: number, end: number): number {
  let value = 0;
  for (let i = from; i < end; i++) value = value * 10 + (bytes[i] - 48);
  return value;
}

function endOf(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(LINE_FEED, from);
  return end < 0 ? bytes.length : end;
}

function startsWith(bytes: Buffer, from: number, start: Buffer): boolean {
  return (
    bytes[from + start.length - 1] === COMMA && bytes.compare(start, 0, start.length, from, from + start.length) === 0
  );
}
