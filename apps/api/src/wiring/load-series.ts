import { setTimeout as pause } from 'node:timers/promises';
import { ACTIVE_MS, type SeriesRegistry } from '../ingest/series-registry.js';
import type { PointStore } from '../store/point-store.js';
import { StoreFault } from '../store/store-fault.js';
import type { Opening } from './surroundings.js';

const EVERY_MS = 1000;

/**
 * loadSeries has the registry know the series that were active before. Where a server of points does not answer, that
 * happens as soon as it does: until then the limit of series counts those that come.
 */
export async function loadSeries(
  { clock, log, closeLast }: Opening,
  { registry, store }: { readonly registry: SeriesRegistry; readonly store: PointStore },
): Promise<void> {
  const load = async (): Promise<void> =>
    registry.load(await store.activeSeries(clock.wallMs() - ACTIVE_MS), clock.wallMs());
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
  }
  const closing = new AbortController();
  const loading = (async () => {
    while (!closing.signal.aborted) {
      await pause(EVERY_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      try {
        return await load();
      } catch (error) {
        if (!(error instanceof StoreFault)) return log.error({ err: error }, 'the series of InfluxDB cannot be read');
      }
    }
  })();
  closeLast(async () => {
    closing.abort();
    await loading;
  });
}
