import { setTimeout as pause } from 'node:timers/promises';
import { FaultEpisode } from '@tidemark/program';
import { ACTIVE_MS, type SeriesRegistry } from '../ingest/series-registry.js';
import type { PointStore } from '../store/point-store.js';
import { StoreFault } from '../store/store-fault.js';
import type { Opening } from './surroundings.js';

/** LoadPace is the first wait between tries, and the longest; each is twice as long as the one before. */
export interface LoadPace {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Each try reads the series of a day: a server that refuses it for good is not asked for them every second. */
const LOAD_PACE: LoadPace = { firstMs: 1000, lastMs: 30_000 };

interface Parts {
  readonly registry: SeriesRegistry;
  readonly store: Pick<PointStore, 'activeSeries'>;
  readonly pace?: LoadPace;
}

/**
 * loadSeries has the registry know the series that were active before. Where a server of points does not answer, that
 * happens as soon as it does, behind the scenes: until then the limit of series counts those that come.
 */
export async function loadSeries(
  { clock, log, closeLast }: Pick<Opening, 'clock' | 'log' | 'closeLast'>,
  { registry, store, pace = LOAD_PACE }: Parts,
): Promise<void> {
  const closing = new AbortController();
  const { signal } = closing;
  const reading = new FaultEpisode(log, {
    began: 'the series that were active before cannot be read; until then the limit counts those that come',
    ended: 'the series that were active before are read',
  });
  const load = async (): Promise<boolean> => {
    try {
      registry.load(await store.activeSeries(clock.wallMs() - ACTIVE_MS, signal), clock.wallMs());
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof StoreFault)) throw error;
      reading.failed(error);
      return false;
    }
    reading.worked();
    return true;
  };
  if (await load()) return;
  const keepTrying = async (): Promise<void> => {
    for (let stepMs = pace.firstMs; ; stepMs = Math.min(pace.lastMs, 2 * stepMs)) {
      await pause(stepMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || (await load())) return;
    }
  };
  const loading = keepTrying().catch((error: unknown) =>
    log.error({ err: error }, 'the series of InfluxDB cannot be read'),
  );
  closeLast(async () => {
    closing.abort();
    await loading;
  });
}
