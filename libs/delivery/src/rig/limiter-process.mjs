// Takes places under one limit as fast as it can and prints each that it got: when it asked and when it was answered,
// in microseconds of the clock that all processes of a machine share.
import { MemoryLimiter } from '../../dist/index.js';
import { RedisLimiter } from '../../dist/redis.js';
import { openRedis } from '@tidemark/redis/open';

const [url, name, max, windowMs, forMs] = process.argv.slice(2);
const link = openRedis({ url, role: 'producer', onFault: (fault) => console.error(fault) });
if (!(await link.whenUp(20_000))) throw new Error('there is no Redis');
const limiter = new RedisLimiter({ link, local: new MemoryLimiter({ steadyMs: () => performance.now() }) });
const limit = { key: 'shared', max: Number(max), windowMs: Number(windowMs) };
const nowUs = () => Number(process.hrtime.bigint() / 1000n);

const endMs = performance.now() + Number(forMs);
let refused = 0;
for (let number = 0; performance.now() < endMs; number += 1) {
  const askedUs = nowUs();
  const take = await limiter.take([limit], `${name}-${number}`);
  if (take.allowed) console.log(JSON.stringify([askedUs, nowUs()]));
  else refused += 1;
}
if (limiter.stats().local > 0) throw new Error('Redis was away');
console.log(JSON.stringify({ refused }));
await link.close();
