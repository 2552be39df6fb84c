import { describe, expect, it } from 'vitest';
import { aBatch, aDay, aPoint, aSeries, NOW } from '../point-samples.contract.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

describe.skipIf(!canRunInfluxDb())('points that InfluxDB is storing just now', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('are there or not, and never without a latency, a request id or a number', async () => {
    const store = await rig.open({ database: rig.newDatabase() });
    const series = aSeries();
    let isWritten = false;
    const write = async (): Promise<void> => {
      for (let batch = 0; batch < 100; batch++) {
        const seqs = Array.from({ length: 40 }, (_, i) => batch * 40 + i + 1);
        await store.write(
          aBatch(seqs.map((seq) => aPoint(series, seq, NOW - 1, { latency: seq, requestId: `${seq}` }))),
        );
      }
      isWritten = true;
    };
    const read = async (): Promise<void> => {
      while (!isWritten) {
        for (const { seq, latency, requestId } of (await store.recent(aDay(), 10_000)).items) {
          expect({ seq, requestId }).toEqual({ seq: latency, requestId: `${latency}` });
        }
      }
    };
    await Promise.all([write(), read(), read()]);
    expect((await store.recent(aDay(), 10_000)).items).toHaveLength(4000);
    await store.close();
  });
});
