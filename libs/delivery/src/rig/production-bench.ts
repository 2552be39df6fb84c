import { randomBytes } from 'node:crypto';
import { openRedis, type RedisLink } from '@tidemark/redis/open';
import { createDatabase, type LocalServer, startPostgres, startRedis } from '@tidemark/servers';
import { openPostgresState } from '@tidemark/state/postgres';
import { afterAll, beforeAll } from 'vitest';
import { LedgerBench } from './ledger-bench.js';

/** ProductionBench is a PostgreSQL and a Redis of a test file's own. */
export interface ProductionBench {
  readonly redis: () => LocalServer;
  /** openLedger makes an empty database with the ledger on it; `url` and `key` let other processes share it. */
  readonly openLedger: () => Promise<{ readonly bench: LedgerBench; readonly url: string; readonly key: Buffer }>;
  /** Connections that live as long as the tests of the file. */
  readonly producer: () => RedisLink;
  readonly worker: () => RedisLink;
}

/** useProduction starts the servers before the tests of a file, and ends them after them. */
export function useProduction(): ProductionBench {
  let databases = 0;
  let running: Awaited<ReturnType<typeof start>> | undefined;
  const parts = () => {
    if (!running) throw new Error('the servers run only while tests do');
    return running;
  };
  beforeAll(async () => void (running = await start()));
  afterAll(async () => {
    const { producer, worker, redis, postgres } = parts();
    await Promise.all([producer.close(), worker.close()]);
    await Promise.all([redis.close(), postgres.close()]);
  });
  return {
    redis: () => parts().redis,
    producer: () => parts().producer,
    worker: () => parts().worker,
    openLedger: async () => {
      const url = await createDatabase(parts().postgres, `ledger${(databases += 1)}`);
      const key = randomBytes(32);
      return { bench: LedgerBench.over(await openPostgresState({ url }), key), url, key };
    },
  };
}

async function start() {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  const open = (role: 'producer' | 'worker') => openRedis({ url: redis.url, role, onFault: () => undefined });
  const [producer, worker] = [open('producer'), open('worker')];
  await producer.whenUp(10_000);
  await worker.whenUp(10_000);
  return { postgres, redis, producer, worker };
}
