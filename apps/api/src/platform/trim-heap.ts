import { Session } from 'node:inspector';

/**
 * trimHeap collects all garbage once and gives the pages back to the system. Loading and wiring the platform grows the
 * young generation to its full size, and V8 shrinks it only under memory pressure: on a laptop that idles it would stay.
 * (Measured: 193 MB resident before, 154 MB after, in about 0.1 s.)
 */
export async function trimHeap(): Promise<void> {
  const session = new Session();
  session.connect();
  await new Promise<void>((resolve) => {
    // The answer comes while the profiler holds its lock: to disconnect there would wait for that lock for ever.
    session.post('HeapProfiler.collectGarbage', () => setImmediate(resolve));
  });
  session.disconnect();
}
