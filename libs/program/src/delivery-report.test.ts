import type { QueueReport } from '@tidemark/delivery';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createDeliveryReport } from './delivery-report.js';

type Outcome = Extract<QueueReport, { kind: 'outcome' }>;

const DELIVERY: Outcome['delivery'] = {
  ...{ id: 'd', project: 'p', sequence: 1, alertId: 'a', channelId: 'c', modelId: 'm', eventId: 'e' },
  ...{ alertType: 'latency', severity: 'high', eventKind: 'fired', payload: '{}', status: 'sending', attempts: 0 },
  ...{ dueMs: 1, scheduledMs: 1, lastError: null, releaseMs: null, createdMs: 1, updatedMs: 1, deliveredMs: null },
};

it('logs once that faults began and once that they ended, however many there are', () => {
  const lines: { level: number; msg: string; during?: string; failures?: number }[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const counted: unknown[] = [];
  const report = createDeliveryReport(log, { inc: (labels) => counted.push(labels) }, () => 'webhook');
  const fault = (during: 'claim' | 'write') => report({ kind: 'fault', during, error: new Error('away') });
  const sent = () =>
    report({ kind: 'outcome', delivery: DELIVERY, outcome: { kind: 'sent' }, status: 'delivered', durationMs: 1 });
  for (let i = 0; i < 50; i += 1) fault('write');
  fault('claim');
  sent();
  sent();
  fault('write');
  const [warn, info] = [40, 30];
  expect(lines.map(({ level, during, failures }) => [level, during, failures])).toEqual([
    [warn, 'write', undefined],
    [warn, 'claim', undefined],
    [info, 'claim', 1],
    [info, 'write', 50],
    [warn, 'write', undefined],
  ]);
  expect(counted).toEqual(Array.from({ length: 2 }, () => ({ channel: 'webhook', outcome: 'delivered' })));
});
