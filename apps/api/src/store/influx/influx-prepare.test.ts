import { describe, expect, it } from 'vitest';
import { aBatch, aDay, aPoint, aSeries, NOW } from '../point-samples.contract.js';
import { findOrg } from './buckets.js';
import { canRunInfluxDb, influxRig } from './rig/influx-rig.js';

describe.skipIf(!canRunInfluxDb())('a new database in InfluxDB', { timeout: 60_000 }, () => {
  const rig = influxRig();

  it('is prepared by several processes that start at once', async () => {
    const database = rig.newDatabase();
    const stores = await Promise.all([0, 1, 2, 3].map((writer) => rig.open({ database, writer })));
    await Promise.all(stores.map((store, i) => store.write(aBatch([aPoint(aSeries(), i + 1, NOW - i)]))));
    for (const store of stores) expect(await store.summary(aDay())).toMatchObject({ totalRequests: 4 });
    for (const store of stores) await store.close();
  });

  it('is prepared among many others', async () => {
    const databases = Array.from({ length: 30 }, () => rig.newDatabase());
    const stores = [];
    for (const database of databases) stores.push(await rig.open({ database }));
    const last = stores[29];
    await last.write(aBatch([aPoint(aSeries(), 1, NOW)]));
    expect(await last.summary(aDay())).toMatchObject({ totalRequests: 1 });
    expect(await stores[28].summary(aDay())).toMatchObject({ totalRequests: 0 });
    for (const store of stores) await store.close();
    const again = await rig.open({ database: databases[29] });
    expect(again.lastSeq).toBe(1);
    await again.close();
  });

  describe.skipIf(rig.generation !== '2')('of 2.x', () => {
    /** A token that may do this with the buckets of its organisation, and nothing else. */
    const limitedToken = async (actions: readonly string[]): Promise<string> => {
      const connection = rig.connect('none');
      const orgID = await findOrg(connection, rig.org);
      const permissions = actions.map((action) => ({ action, resource: { type: 'buckets', orgID } }));
      const answer: unknown = JSON.parse(
        await connection.api('POST', '/api/v2/authorizations', { orgID, status: 'active', permissions }),
      );
      if (typeof answer !== 'object' || answer === null || !('token' in answer)) throw new Error('no token');
      return String(answer.token);
    };

    it('needs a token that reads and writes the buckets of its organisation, and no more', async () => {
      const database = rig.newDatabase();
      const store = await rig.open({ database, token: await limitedToken(['read', 'write']) });
      await store.write(aBatch([aPoint(aSeries(), 1, NOW)]));
      expect(await store.summary(aDay())).toMatchObject({ totalRequests: 1 });
      expect(await store.stats()).toMatchObject({ points: 1 });
      await store.close();
      const again = await rig.open({ database, token: await limitedToken(['read', 'write']) });
      expect(again.lastSeq).toBe(1);
      await again.close();
    });

    it('is refused to a token that may not create it, to one that is unknown, and in an unknown organisation', async () => {
      const database = rig.newDatabase();
      const token = await limitedToken(['read']);
      await expect(rig.open({ database, token })).rejects.toMatchObject({ kind: 'unauthorized' });
      await expect(rig.open({ database, token: 'unknown' })).rejects.toMatchObject({ kind: 'unauthorized' });
      await expect(rig.open({ database, token: '' })).rejects.toMatchObject({ kind: 'unauthorized' });
      await expect(rig.open({ database, org: 'nobody' })).rejects.toThrow(/no organisation 'nobody'/);
    });

    it('has its name refused when it has a slash, which parts a database from its retention policy', async () => {
      await expect(rig.open({ database: 'tide/mark' })).rejects.toThrow(/slash/);
    });

    it.each(['_tidemark', 'tide"mark'])(
      'has its name refused with the reason when 2.x does not take it: %s',
      async (name) => {
        await expect(rig.open({ database: name })).rejects.toThrow(/bucket name .* is invalid/i);
      },
    );

    it('counts its own bytes and no others, which the server tells every ten seconds', async () => {
      const [database, empty] = [rig.newDatabase(), rig.newDatabase()];
      const store = await rig.open({ database });
      await store.write(aBatch([aPoint(aSeries(), 1, NOW)]));
      await store.close();
      const bytesOf = async (name: string): Promise<number> => {
        const fresh = await rig.open({ database: name, writer: 1 });
        const { bytes } = await fresh.stats();
        await fresh.close();
        return bytes;
      };
      await expect.poll(() => bytesOf(database), { timeout: 30_000, interval: 500 }).toBeGreaterThan(0);
      expect(await bytesOf(empty)).toBe(0);
    });
  });
});
