import { MAX_BATCH_ITEMS } from '@tidemark/types';
import type { Point } from '../store/point-store.js';
import { ByteCursor, equalBytes } from './byte-cursor.js';
import { KnownSeries } from './known-series.js';
import { type HasGoodNames, PlainMetric, type PlainRequest } from './plain-metric.js';
import type { SeriesRegistry } from './series-registry.js';

const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a] as const;
const METRICS = Buffer.from('metrics');

/**
 * PlainBatchReader makes points of a batch straight from its bytes, in one pass and without an object in between. It
 * takes a batch only when all of it is plain: known members once each, plain texts and numbers, series that were seen
 * before, nothing to object to. Any other batch, valid or not, is for the parser and the schema: they alone say what is
 * wrong with a metric, and what this reader takes they would have taken with the same points.
 */
export class PlainBatchReader {
  private readonly metric: PlainMetric;

  constructor(registry: SeriesRegistry, hasGoodNames: HasGoodNames) {
    this.metric = new PlainMetric(new KnownSeries(registry), hasGoodNames);
  }

  /**
   * read returns the points of a batch in order of arrival, numbered from the one after `lastSeq`, or null when it is not
   * plain; nothing has happened then.
   */
  read(body: Buffer, request: PlainRequest, lastSeq: number): Point[] | null {
    const cursor = new ByteCursor(body);
    if (!cursor.takes(OPEN) || !cursor.takesText() || !isMetrics(cursor)) return null;
    if (!cursor.takes(COLON) || !cursor.takes(OPEN_LIST)) return null;
    const points: Point[] = [];
    do {
      const point = this.metric.read(cursor, request, lastSeq + points.length + 1);
      if (!point || points.length === MAX_BATCH_ITEMS) return null;
      points.push(point);
    } while (cursor.takes(COMMA));
    return cursor.takes(CLOSE_LIST) && cursor.takes(CLOSE) && cursor.isAtEnd() ? points : null;
  }
}

function isMetrics({ bytes, start, end }: ByteCursor): boolean {
  return end - start === METRICS.length && equalBytes(bytes, start, METRICS);
}
