import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FUTURE_MS, readTimestamp } from './timestamp.js';

const DAY = 86_400_000;
const nowMs = Date.UTC(2026, 0, 31, 12);
const bounds = { nowMs, maxAgeMs: 7 * DAY };
const read = (given: string | number | null | undefined) => readTimestamp(given, bounds);
const anyTime = { nowMs: 8e15, maxAgeMs: 1.6e16 };

describe('readTimestamp', () => {
  it.each([
    ['UTC', '2026-01-31T11:00:00Z', '2026-01-31T11:00:00.000Z'],
    ['lower case', '2026-01-31t11:00:00z', '2026-01-31T11:00:00.000Z'],
    ['a space in the middle', '2026-01-31 11:00:00Z', '2026-01-31T11:00:00.000Z'],
    ['no zone, which is UTC', '2026-01-31T11:00:00', '2026-01-31T11:00:00.000Z'],
    ['microseconds without a zone, as Python writes', '2026-01-31T11:00:00.123456', '2026-01-31T11:00:00.123Z'],
    ['one digit of a fraction', '2026-01-31T11:00:00.5Z', '2026-01-31T11:00:00.500Z'],
    ['nanoseconds, cut and not rounded', '2026-01-31T11:00:00.999999999Z', '2026-01-31T11:00:00.999Z'],
    ['a zone east', '2026-01-31T12:30:00+01:30', '2026-01-31T11:00:00.000Z'],
    ['a zone west', '2026-01-31T03:00:00-08:00', '2026-01-31T11:00:00.000Z'],
    ['the unknown zone', '2026-01-31T11:00:00-00:00', '2026-01-31T11:00:00.000Z'],
    ['a zone across midnight', '2026-01-30T23:30:00-12:00', '2026-01-31T11:30:00.000Z'],
    ['a leap second, as the second before', '2026-01-30T23:59:60Z', '2026-01-30T23:59:59.000Z'],
    ['epoch milliseconds as text', String(nowMs), '2026-01-31T12:00:00.000Z'],
  ])('reads %s', (_what, text, wanted) => {
    expect(read(text)).toEqual({ ok: true, ms: Date.parse(wanted) });
  });

  it.each([
    [nowMs, nowMs],
    [nowMs + 0.9, nowMs],
    [null, nowMs],
    [undefined, nowMs],
  ])('reads %s', (given, ms) => {
    expect(read(given)).toEqual({ ok: true, ms });
  });

  it.each([
    '',
    'now',
    '2026-01-31',
    '2026-01-31T11:00Z',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-32T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T11:60:00Z',
    '2026-01-31T11:00:61Z',
    '2026-01-31T11:00:00.Z',
    '2026-01-31T11:00:00.1234567890Z',
    '2026-01-31T11:00:00+24:00',
    '2026-01-31T11:00:00+01:60',
    '2026-01-31T11:00:00+0100',
    '2026-01-31T11:00:00+01',
    '2026-01-31T11:00:00ZZ',
    '2026-01-31T11:00:00Z ',
    ' 2026-01-31T11:00:00Z',
    '2026-01-31\u000011:00:00Z',
    '2026-01-31_11:00:00Z',
    '2026/01/31T11:00:00Z',
    '+002026-01-31T11:00:00Z',
    '-2026-01-31T11:00:00Z',
    '0050-01-31T11:00:00Z',
    '٢٠٢٦-01-31T11:00:00Z',
    'Sat, 31 Jan 2026 11:00:00 GMT',
    '123',
    '1'.repeat(16),
    NaN,
    Infinity,
    -Infinity,
  ])('refuses %j as no timestamp', (given) => {
    expect(read(given)).toMatchObject({ ok: false, code: 'timestamp_format' });
  });

  it('knows the leap years', () => {
    for (const [year, isLeap] of [
      [1900, false],
      [2000, true],
      [2023, false],
      [2024, true],
    ] as const) {
      expect(readTimestamp(`${year}-02-29T00:00:00Z`, anyTime).ok).toBe(isLeap);
    }
  });

  it('accepts up to ten minutes ahead of the server and not a millisecond more', () => {
    expect(read(nowMs + MAX_FUTURE_MS)).toMatchObject({ ok: true });
    expect(read(nowMs + MAX_FUTURE_MS + 1)).toMatchObject({ ok: false, code: 'timestamp_future' });
    expect(read(8e17)).toMatchObject({ ok: false, code: 'timestamp_future' });
    expect(read('9999-12-31T23:59:60Z')).toMatchObject({ ok: false, code: 'timestamp_future' });
  });

  it('accepts what is as old as the retention and not a millisecond older', () => {
    expect(read(nowMs - 7 * DAY)).toMatchObject({ ok: true });
    expect(read(nowMs - 7 * DAY - 1)).toMatchObject({ ok: false, code: 'timestamp_too_old' });
    expect(read('1970-01-01T00:00:00Z')).toMatchObject({ ok: false, code: 'timestamp_too_old' });
    expect(read(0)).toMatchObject({ ok: false, code: 'timestamp_too_old' });
    expect(read(-1e300)).toMatchObject({ ok: false, code: 'timestamp_too_old' });
  });

  it.each([nowMs / 1000, String(nowMs / 1000)])('says that %j looks like seconds', (given) => {
    expect(read(given)).toMatchObject({
      ok: false,
      code: 'timestamp_too_old',
      message: expect.stringContaining('looks like seconds'),
    });
  });

  it('does not guess seconds for what is merely old', () => {
    expect(read('1999-01-01T00:00:00Z')).toMatchObject({ message: expect.not.stringContaining('seconds') });
  });

  it('reads back what Date writes, in any zone', () => {
    const date = fc.date({
      min: new Date('0100-01-01T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    const zone = fc.record({ minutes: fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }), isZulu: fc.boolean() });
    fc.assert(
      fc.property(date, zone, (moment, { minutes, isZulu }) => {
        expect(readTimestamp(moment.toISOString(), anyTime)).toEqual({ ok: true, ms: moment.getTime() });
        const local = new Date(moment.getTime() + minutes * 60_000).toISOString().slice(0, 23);
        if (local.length < 23 || local.startsWith('00') || isZulu) return;
        const clock = `${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
        expect(readTimestamp(`${local}${minutes < 0 ? '-' : '+'}${clock}`, anyTime)).toEqual({
          ok: true,
          ms: moment.getTime(),
        });
      }),
      { numRuns: 2000 },
    );
  });
});
