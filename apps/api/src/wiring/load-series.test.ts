import { closeAll, type Closer } from '@tidemark/program';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SeriesRegistry } from '../ingest/series-registry.js';
import { waitFor } from '../rig/wait-for.js';
import { type FaultProxy, openFaultProxy } from '../store/influx/rig/fault-proxy.js';
import { canRunInfluxDb, influxRig } from '../store/influx/rig/influx-rig.js';
import { SERIES } from '../store/influx/names.js';
import { aBatch, aPoint, aSeries, NOW } from '../store/point-samples.contract.js';
import { loadSeries } from './load-series.js';

const DAY_MS = 86_400_000;
const clock = { wallMs: () => NOW, steadyMs: () => performance.now() };

describe.skipIf(!canRunInfluxDb())('the series of InfluxDB that were active before', () => {
  const rig = influxRig();

  /** A store with one series behind a proxy, and what it takes to load it. */
  async function setUp() {
    const proxy = await openFaultProxy(rig.server().url);
    onTestFinished(() => proxy.close());
    // Times beyond the test's own: only giving up can end a request.
    const times = { queryTimeoutMs: 10 * DAY_MS };
    const store = await rig.open({ database: rig.newDatabase(), url: proxy.url, ...times, onFault: () => undefined });
    onTestFinished(() => store.close());
    await store.write(aBatch([aPoint(aSeries(), 1, NOW)]));
    const logged: string[] = [];
    const closers: Closer[] = [];
    const log = pino(
      {},
      { write: (line: string) => void logged.push(`${JSON.parse(line).level} ${JSON.parse(line).msg}`) },
    );
    const registry = new SeriesRegistry({ maxSeries: 10 });
    const opening = { clock, log, closeLast: (closer: Closer) => void closers.push(closer) };
    const parts = { registry, store, pace: { firstMs: 1, lastMs: 5 } };
    return { proxy, registry, logged, load: () => loadSeries(opening, parts), close: () => closeAll(closers) };
  }

  /** Counts the questions after series, and does with them as it is told. */
  function watch(proxy: FaultProxy): { asked: number; verdict: 'pass' | 'refuse' | 'hang' } {
    const state: ReturnType<typeof watch> = { asked: 0, verdict: 'refuse' };
    proxy.judge = ({ path, body }) => {
      if (!path.startsWith('/query') || !decodeURIComponent(body).includes(`"${SERIES}"`)) return 'pass';
      state.asked++;
      return state.verdict;
    };
    return state;
  }

  it('are known at once when it is there', async () => {
    const { registry, logged, load } = await setUp();
    await load();
    expect(registry.count('shop')).toBe(1);
    expect(logged).toEqual([]);
  });

  it('are known as soon as it answers; the log says once that they are not, and once that they are', async () => {
    const { proxy, registry, logged, load, close } = await setUp();
    const state = watch(proxy);
    await load();
    await waitFor('some tries', () => state.asked > 5);
    expect(registry.count('shop')).toBe(0);
    const began = '40 the series that were active before cannot be read; until then the limit counts those that come';
    expect(logged).toEqual([began]);
    state.verdict = 'pass';
    await waitFor('the series', () => registry.count('shop') === 1);
    expect(logged).toEqual([began, '30 the series that were active before are read']);
    await close();
  });

  it('are given up at the end, also when it hangs', async () => {
    const { proxy, logged, load, close } = await setUp();
    const state = watch(proxy);
    await load();
    state.verdict = 'hang';
    const before = state.asked;
    await waitFor('a question that nobody answers', () => state.asked > before);
    await close();
    expect(logged).toHaveLength(1);
  });
});
