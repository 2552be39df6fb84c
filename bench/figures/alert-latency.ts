import { type BreachTimes, timeBreaches } from '../breaches.js';
import type { Figure, Reading } from '../figure.js';

/** alertLatencyFigure is the time from sending a metric that breaches to when a webhook has the news. */
export const alertLatencyFigure: Figure = {
  name: 'alert',
  title: 'from a metric to its webhook',
  measure: (bench) =>
    bench.withApi(
      async ({ url }) => {
        const total = bench.quick ? 100 : 400;
        const say = (line: string) => bench.say(`alert: ${line}`);
        return breachReadings('alert', 50, await timeBreaches({ url, total, watchMs: 0, say }));
      },
      { env: { TIDEMARK_ALLOWED_TARGETS: '127.0.0.1' } },
    ),
};

/** breachReadings are the readings of a figure of breaches: their times, and that none was lost or doubled. */
export function breachReadings(
  id: string,
  p99Ms: number,
  { webhook, first, answer, arrived, doubled }: BreachTimes,
): Reading[] {
  return [
    { id: `${id}.p50_ms`, name: 'metric to webhook, p50', value: webhook.p50, unit: 'ms' },
    {
      id: `${id}.p99_ms`,
      name: '  p99',
      value: webhook.p99,
      unit: 'ms',
      target: { atMost: p99Ms },
      detail: { ...webhook, ack: answer },
    },
    {
      id: `${id}.first_ms`,
      name: `  of the first ${first.count} after a start, the slowest`,
      value: first.max,
      unit: 'ms',
    },
    {
      id: `${id}.arrived`,
      name: '  webhooks that arrived, of all',
      value: arrived,
      unit: '',
      target: { atLeast: 1 },
    },
    {
      id: `${id}.doubled`,
      name: '  webhooks that came twice',
      value: doubled,
      unit: '',
      target: { atMost: 0 },
    },
  ];
}
