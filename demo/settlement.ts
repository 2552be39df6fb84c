import type { Arrival } from './arrivals.js';
import type { Platform } from './platform.js';

/** Settlement says whether what arrived is what the platform's ledger says went out, in lines for people. */
export interface Settlement {
  readonly agrees: boolean;
  readonly lines: readonly string[];
}

interface Delivery {
  readonly event_id: string;
  readonly channel_id: string;
  readonly status: string;
}

/**
 * compareWithLedger counts the notifications that each receiver got against those that the ledger has as delivered:
 * each exactly once, and at least one alert that began and ended.
 */
export async function compareWithLedger(
  platform: Pick<Platform, 'call'>,
  arrivals: readonly Arrival[],
): Promise<Settlement> {
  const { channels } = await platform.call<{ channels: { id: string; kind: Arrival['channel'] }[] }>(
    'GET',
    '/api/v1/channels',
  );
  const { deliveries } = await platform.call<{ deliveries: Delivery[] }>('GET', '/api/v1/deliveries?limit=1000');
  const alerts = await platform.call<{ message: string; occurrences: number; resolved: boolean }[]>(
    'GET',
    '/api/v1/alerts',
  );
  const lines = alerts.map(
    ({ message, occurrences, resolved }) =>
      `alert ${resolved ? '(over)' : '(firing)'}: ${message}, ${occurrences} times`,
  );
  let agrees = alerts.length > 0 && alerts.every((alert) => alert.resolved);
  for (const { id, kind } of channels) {
    const sent = deliveries.filter((delivery) => delivery.channel_id === id);
    const delivered = sent.filter((delivery) => delivery.status === 'delivered').length;
    const held = sent.filter((delivery) => delivery.status === 'suppressed').length;
    const arrived = arrivals.filter((arrival) => arrival.channel === kind);
    const ids = arrived.map((arrival) => arrival.eventId).filter((eventId) => eventId !== null);
    const once = arrived.length === delivered && new Set(ids).size === ids.length;
    agrees &&= once && delivered > 0 && delivered + held === sent.length;
    lines.push(
      `${kind.padEnd(7)} ledger: ${delivered} delivered, ${held} held back by the limit; arrived: ${arrived.length}, ${once ? 'each once' : 'NOT THE SAME'}`,
    );
  }
  lines.push(
    agrees ? 'everything that went out arrived once, and the ledger agrees' : 'the ledger and the receivers DISAGREE',
  );
  return { agrees, lines };
}
