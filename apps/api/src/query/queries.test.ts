import { describe, expect, it } from 'vitest';
import { HttpProblem } from '../platform/problem.js';
import {
  AggregateQuerySchema,
  AHEAD_MS,
  AlertQuerySchema,
  createQueryReader,
  DeliveryQuerySchema,
  DriftQuerySchema,
  ExportQuerySchema,
  InferenceQuerySchema,
  readRange,
  SummaryQuerySchema,
} from './queries.js';

const HOUR = 3_600_000;
const nowMs = Date.UTC(2026, 0, 31, 12);
const readers = {
  inference: createQueryReader(InferenceQuerySchema),
  drift: createQueryReader(DriftQuerySchema),
  aggregated: createQueryReader(AggregateQuerySchema),
  summary: createQueryReader(SummaryQuerySchema),
  alerts: createQueryReader(AlertQuerySchema),
  deliveries: createQueryReader(DeliveryQuerySchema),
  export: createQueryReader(ExportQuerySchema),
};

function faultsOf(work: () => unknown): string[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    expect(error).toMatchObject({ code: 'invalid_query', status: 422 });
    return (error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`);
  }
}

describe('query readers', () => {
  it.each([
    ['inference', { since_hours: 24, limit: 1000 }],
    ['drift', { since_hours: 168, limit: 100 }],
    ['aggregated', { since_hours: 6, window: '5m', stat: 'mean' }],
    ['summary', { since_hours: 24 }],
    ['alerts', { since_hours: 168, limit: 100 }],
    ['deliveries', { limit: 100 }],
    ['export', { format: 'csv', since_hours: 24 }],
  ] as const)('fill in the defaults of %s', (name, wanted) => {
    expect(readers[name]({})).toEqual(wanted);
    expect(readers[name](undefined)).toEqual(wanted);
  });

  it('read what comes as text', () => {
    expect(readers.inference({ model_id: '5', since_hours: '168', limit: '10000' })).toEqual({
      model_id: '5',
      since_hours: 168,
      limit: 10_000,
    });
  });

  it.each([
    ...['true', 'True', 'TRUE', '1', 'yes', 'on', 't', 'y'].map((word) => [word, true] as const),
    ...['false', 'False', '0', 'no', 'Off', 'f', 'n'].map((word) => [word, false] as const),
  ])('take resolved=%s for %s', (word, wanted) => {
    expect(readers.alerts({ resolved: word }).resolved).toBe(wanted);
  });

  it.each([
    ['inference', { since_hours: '0' }, '/since_hours range'],
    ['inference', { since_hours: '168.1' }, '/since_hours range'],
    ['inference', { since_hours: 'day' }, '/since_hours type'],
    ['inference', { since_hours: '' }, '/since_hours type'],
    ['inference', { limit: '0' }, '/limit range'],
    ['inference', { limit: '10001' }, '/limit range'],
    ['inference', { limit: '1.5' }, '/limit type'],
    ['inference', { limit: ['1', '2'] }, '/limit type'],
    ['inference', { model_id: 'x'.repeat(257) }, '/model_id length'],
    ['inference', { cursor: 'x'.repeat(65) }, '/cursor length'],
    ['drift', { limit: '1001' }, '/limit range'],
    ['alerts', { limit: '1001' }, '/limit range'],
    ['alerts', { resolved: 'perhaps' }, '/resolved type'],
    ['alerts', { resolved: 'constructor' }, '/resolved type'],
    ['alerts', { severity: 'worst' }, '/severity enum'],
    ['alerts', { alert_type: 'cpu' }, '/alert_type enum'],
    ['aggregated', { window: '5x' }, '/window format'],
    ['aggregated', { window: '-5m' }, '/window format'],
    ['aggregated', { window: '5m\n' }, '/window format'],
    ['aggregated', { stat: 'median' }, '/stat enum'],
    ['deliveries', { status: 'lost' }, '/status enum'],
    ['export', { format: 'xml' }, '/format enum'],
  ] as const)('refuse of %s %j', (name, query, wanted) => {
    expect(faultsOf(() => readers[name](query))).toEqual([wanted]);
  });

  it('tell of every fault together', () => {
    expect(faultsOf(() => readers.inference({ limit: '0', since_hours: '0' })).sort()).toEqual([
      '/limit range',
      '/since_hours range',
    ]);
  });

  it('leave the query as it was', () => {
    const query = Object.freeze({ limit: '5', resolved: 'True' });
    expect(readers.alerts(query)).toMatchObject({ limit: 5, resolved: true });
    expect(query).toEqual({ limit: '5', resolved: 'True' });
  });
});

describe('readRange', () => {
  it('ends a little after now, because points may be stamped ahead', () => {
    expect(readRange({ since_hours: 24 }, nowMs)).toEqual({ sinceMs: nowMs - 24 * HOUR, untilMs: nowMs + AHEAD_MS });
    expect(readRange({ since_hours: 24 }, nowMs, 1).untilMs).toBe(nowMs + 1);
  });

  it('counts the hours back from the end that the query names', () => {
    expect(readRange({ since_hours: 1, until: '2026-01-30T00:00:00Z' }, nowMs)).toEqual({
      sinceMs: Date.UTC(2026, 0, 29, 23),
      untilMs: Date.UTC(2026, 0, 30),
    });
  });

  it('takes the start that the query names before the hours', () => {
    const range = readRange({ since_hours: 1, since: '2026-01-01T00:00:00+01:00', until: String(nowMs) }, nowMs);
    expect(range).toEqual({ sinceMs: Date.UTC(2025, 11, 31, 23), untilMs: nowMs });
  });

  it.each([
    [{ since: 'yesterday' }, '/since format'],
    [{ until: '2026-02-30T00:00:00Z' }, '/until format'],
    [{ since: '2026-01-31T00:00:00Z', until: '2026-01-31T00:00:00Z' }, '/since format'],
    [{ since: '2026-01-31T00:00:01Z', until: '2026-01-31T00:00:00Z' }, '/since format'],
    [{ since: '2027-01-01T00:00:00Z' }, '/since format'],
    [{ since: '0' }, '/since format'],
  ])('refuses %j', (times, wanted) => {
    expect(faultsOf(() => readRange({ since_hours: 1, ...times }, nowMs))).toEqual([wanted]);
  });

  it.each([
    [{ since: '2027-01-01T00:00:00Z' }, /^since lies in the future$/],
    [{ since: '2026-01-31T00:00:00Z', until: '2026-01-31T00:00:00Z' }, /^since must be before until$/],
    [{ since: '0' }, /^since is .*epoch milliseconds of 10 to 15 digits \(from 1000000000,/],
    [{ until: '1'.repeat(16) }, /^until is .*epoch milliseconds of 10 to 15 digits/],
    [{ since: '2026-01-01T00:00:00 01:00' }, /^since is .*; write the \+ of a zone as %2B$/],
    [{ since: 'yesterday' }, /^since is .*epoch milliseconds$/],
  ])('says of %j what is wrong with it', (times, detail) => {
    expect(() => readRange({ since_hours: 1, ...times }, nowMs)).toThrow(detail);
  });
});
