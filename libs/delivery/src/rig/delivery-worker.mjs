// A worker as a process of its own, so that it can be killed: node delivery-worker.mjs <setting as JSON>.
import { openRedis } from '@tidemark/redis/open';
import { Channels, Claims, Deliveries, Outbox } from '@tidemark/state';
import { openPostgresState } from '@tidemark/state/postgres';
import {
  ChannelDirectory,
  createAddressGuard,
  MemoryLimiter,
  openSafeFetch,
  parseAllowList,
  systemResolve,
} from '../../dist/index.js';
import { BullMqQueue, RedisLimiter } from '../../dist/redis.js';

const { databaseUrl, redisUrl, key, holder, leaseMs, lockMs } = JSON.parse(process.argv[2]);
const onFault = (fault) => console.log(JSON.stringify(fault));
const state = await openPostgresState({ url: databaseUrl });
const [producer, worker] = ['producer', 'worker'].map((role) => openRedis({ url: redisUrl, role, onFault }));
const allowed = parseAllowList(['127.0.0.0/8']);
const guard = createAddressGuard(allowed.rules);
const http = openSafeFetch({ guard, resolve: systemResolve });
const deps = { http, guard, resolve: systemResolve, wallMs: Date.now };
const directory = new ChannelDirectory({ channels: new Channels(state), key: Buffer.from(key, 'hex'), deps });
const steadyMs = () => performance.now();
const queue = new BullMqQueue({
  ...{ outbox: new Outbox(state), claims: new Claims(state), deliveries: new Deliveries(state), producer, worker },
  deliver: {
    limiter: new RedisLimiter({ link: producer, local: new MemoryLimiter({ steadyMs }) }),
    limits: { subject: { max: 1000, windowMs: 1000 }, channel: { max: 1000, windowMs: 1000 } },
    find: (project, id) => directory.find(project, id),
  },
  disable: (project, id, change) => directory.disable(project, id, change),
  ...{ wallMs: Date.now, steadyMs, random: Math.random, holder, leaseMs, lockMs },
  report: (report) => report.kind === 'fault' && console.log(report.during, report.error),
});
await queue.start();
console.log('ready');
