import type { Client, Json } from './client.js';
import { waitFor } from './wait-for.js';

/** The second try of a delivery comes after 5 s, the third after 30 s more; the claim of a worker that died holds for 45 s. */
const THREE_TRIES_MS = 120_000;

/** settledLedger waits until an alert has that many deliveries and each has its end, so that nothing more can arrive. */
export function settledLedger(api: Client, alertId: string, count: number): Promise<Json[]> {
  const settled = async (): Promise<Json[] | null> => {
    const { deliveries } = await api.must(api.get(`alerts/${alertId}/deliveries`));
    const isOver = deliveries.every(({ status }: Json) => status !== 'pending' && status !== 'sending');
    return deliveries.length === count && isOver ? deliveries : null;
  };
  return waitFor(`${count} deliveries of the alert to end`, settled, THREE_TRIES_MS);
}

/** settledDeliveries waits until every delivery that there is has its end. */
export function settledDeliveries(api: Client): Promise<boolean> {
  const isOver = async (): Promise<boolean> => {
    const open = ['pending', 'sending'].map((status) => api.must(api.get(`deliveries?status=${status}&limit=1`)));
    return (await Promise.all(open)).every(({ deliveries }) => deliveries.length === 0);
  };
  return waitFor('every delivery to end', isOver, 180_000);
}
