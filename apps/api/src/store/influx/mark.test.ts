import { describe, expect, it } from 'vitest';
import { firstMark, type Mark, markLine, readMarks } from './mark.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';
import { SeqSets } from './seq-sets.js';

describe.skipIf(!canRunInfluxDb())('a mark in InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();

  const markOf = (version: number): Mark => ({
    ...firstMark(3),
    version,
    ticket: version,
    flush: version,
    compaction: version,
    compacted: version,
    lastSeq: version,
    newestMs: version,
    counted: SeqSets.parse(`3:${version}`),
    isClean: version % 2 === 0,
  });

  it('is read whole at any moment while the next one is written', async () => {
    const database = rig.newDatabase();
    await (await rig.open({ database })).close();
    const [writes, reads] = [rig.connect(database), rig.connect(database)];
    let isWritten = false;
    const write = async (): Promise<void> => {
      for (let version = 1; version <= 300; version++)
        await writes.write('meta', Buffer.from(markLine(markOf(version))));
      isWritten = true;
    };
    const writing = write();
    const read = async (): Promise<void> => {
      while (!isWritten) {
        const found = (await readMarks(reads)).find(({ slot }) => slot === 3);
        if (found) expect(markLine(found)).toBe(markLine(markOf(found.version)));
      }
    };
    await Promise.all([writing, read(), read(), read()]);
  });
});
