import { timeBreaches } from '../breaches.js';
import type { Figure } from '../figure.js';
import { breachReadings } from './alert-latency.js';

/** What is sent twice is sent soon after, if the outbox and the queue disagree: the outbox looks every second. */
const WATCH_MS = 3000;

/** productionWebhookFigure is the same as the embedded figure, through nginx, two instances, BullMQ and two workers. */
export const productionWebhookFigure: Figure = {
  name: 'production-webhook',
  title: 'from a metric to its webhook, through nginx, PostgreSQL, BullMQ and a worker',
  needs: ['nginx', 'influxd', 'postgres', 'redis-server'],
  measure: (bench) =>
    bench.withStack({ apis: 2, workers: 2, env: { TIDEMARK_ALLOWED_TARGETS: '127.0.0.1' } }, async ({ url }) => {
      const total = bench.quick ? 100 : 400;
      const say = (line: string) => bench.say(`production-webhook: ${line}`);
      const times = await timeBreaches({ url, total, watchMs: WATCH_MS, say });
      if (times.arrived < 1 || times.doubled > 0) {
        throw new Error(`of ${total} webhooks ${times.arrived * total} arrived, and ${times.doubled} came twice`);
      }
      const [first, ...rest] = breachReadings('production.webhook', 250, times);
      return first ? [{ ...first, name: 'metric to webhook through BullMQ, p50' }, ...rest] : [];
    }),
};
