import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, it } from 'vitest';
import { waitFor } from '../../rig/wait-for.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

const LINES = 5000;

describe.skipIf(!canRunInfluxDb())('a connection to InfluxDB', () => {
  const rig = influxRig();

  it.each([
    ['without a signal', () => undefined],
    ['with a signal each', () => new AbortController().signal],
  ])('keeps nothing of what it has written, %s', async (_, signalOf) => {
    const database = rig.newDatabase();
    await (await rig.open({ database })).close();
    const connection = rig.connect(database);
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect !== 'function') throw new Error('garbage cannot be collected at will here');
    const written: WeakRef<ArrayBufferLike>[] = [];
    for (let batch = 0; batch < 20; batch++) written.push(await write(batch));
    await waitFor('all to be collected but what a socket may hold', () => {
      collect();
      return written.filter((body) => body.deref() !== undefined).length <= 2;
    });

    async function write(batch: number): Promise<WeakRef<ArrayBufferLike>> {
      const lines = Array.from({ length: LINES }, (_line, i) => `m v=${batch * LINES + i}\n`);
      const bytes = new Uint8Array(Buffer.from(lines.join('')));
      await connection.write('raw', bytes, signalOf());
      return new WeakRef(bytes.buffer);
    }
  });
});
