import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from './answer.js';
import type { Answer } from './answer.js';

const CONTEXT = { itemCount: 3, holdStatuses: [401, 403], nowMs: 0 };

function read(status: number, body?: unknown, retryAfter: string | null = null): Answer {
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
  return readAnswer({ kind: 'http', status, retryAfter, body: text }, CONTEXT);
}

const rejected = (...indexes: number[]): unknown[] =>
  indexes.map((index) => ({ index, code: 'too_big', pointer: `/metrics/${String(index)}`, message: 'too big' }));

describe('readAnswer', () => {
  it.each([
    ['a 201 that says so', 201, { accepted: 3, rejected: [] }],
    ['a 201 without a word', 201, {}],
    ['a 201 whose body broke off', 201, undefined],
    ['a 200 that says so', 200, { accepted: 3, rejected: [] }],
  ])('takes %s as all accepted', (_, status, body) => {
    expect(read(status, body)).toEqual({ kind: 'taken', accepted: 3, rejections: [], unexplained: 0, status });
  });

  it('reads which items a 207 refused and why', () => {
    expect(read(207, { accepted: 2, rejected: rejected(1) })).toEqual({
      kind: 'taken',
      accepted: 2,
      rejections: [{ index: 1, code: 'too_big', pointer: '/metrics/1', message: 'too big' }],
      unexplained: 0,
      status: 207,
    });
  });

  it('takes a 422 with a list as nothing accepted', () => {
    expect(read(422, { accepted: 0, rejected: rejected(0, 1, 2) })).toMatchObject({ accepted: 0, unexplained: 0 });
    expect(read(422, { accepted: 3, rejected: rejected(0) })).toMatchObject({ accepted: 0, unexplained: 2 });
  });

  it('never counts more as accepted than the server claims', () => {
    expect(read(201, { accepted: 1, rejected: [] })).toMatchObject({ accepted: 1, unexplained: 2 });
    expect(read(207, { accepted: 99, rejected: rejected(0) })).toMatchObject({ accepted: 2, unexplained: 0 });
    expect(read(207, { accepted: -5, rejected: rejected(0) })).toMatchObject({ accepted: 0, unexplained: 2 });
  });

  it('counts an item once however often it is refused, and ignores indexes that are none of ours', () => {
    const answer = read(207, { accepted: 2, rejected: [...rejected(1, 1, -1, 3, 0.5), null, 'x', { index: '2' }] });
    expect(answer).toMatchObject({ accepted: 2, rejections: [{ index: 1 }] });
  });

  it.each([400, 404, 405, 410, 415, 422])('takes a %i without a list as a refusal of the whole', (status) => {
    const body = { code: 'bad_body', detail: 'cannot be read' };
    expect(read(status, body)).toEqual({ kind: 'refused', status, code: 'bad_body', message: 'cannot be read' });
  });

  it('names a refusal by its status where the server gives no code', () => {
    expect(read(404, '<html>')).toMatchObject({ kind: 'refused', code: 'http_404' });
  });

  it.each([401, 403])('holds the points on %i', (status) => {
    expect(read(status, { detail: 'no key' })).toEqual({
      kind: 'held',
      reason: `http_${String(status)}`,
      message: 'no key',
    });
  });

  it('asks for smaller batches on 413', () => {
    expect(read(413, '')).toEqual({ kind: 'too_large' });
  });

  it.each([408, 409, 425, 429])('tries again after %i without blaming the server', (status) => {
    expect(read(status, {}, '5')).toMatchObject({ kind: 'retry', retryAfterMs: 5_000, blame: false });
  });

  it.each([500, 502, 503, 504])('tries again after %i', (status) => {
    expect(read(status, {})).toMatchObject({ kind: 'retry', retryAfterMs: undefined, blame: true });
  });

  it.each([
    ['a login page', 200, '<html>'],
    ['a 204', 204, ''],
    ['a 207 without a list', 207, { accepted: 1 }],
    ['a 422 whose body broke off', 422, undefined],
    ['a redirect', 302, ''],
    ['a redirect that a browser hides', 0, ''],
  ])('counts nothing as taken on %s', (_, status, body) => {
    expect(read(status, body)).toMatchObject({ kind: 'retry', reason: 'unexpected_answer', blame: true });
  });

  it('tries again where no answer came', () => {
    const answer = readAnswer({ kind: 'failed', reason: 'timeout', message: 'no answer' }, CONTEXT);
    expect(answer).toMatchObject({ kind: 'retry', reason: 'timeout', blame: true });
  });

  it('accounts for every item of a batch whatever the server says', () => {
    const body = fc.oneof(
      fc.record({
        accepted: fc.anything(),
        rejected: fc.array(fc.record({ index: fc.oneof(fc.nat(5), fc.anything()) })),
      }),
      fc.anything(),
    );
    fc.assert(
      fc.property(fc.constantFrom(200, 201, 202, 207, 422), body, (status, value) => {
        const answer = readAnswer({ kind: 'http', status, retryAfter: null, body: JSON.stringify(value) }, CONTEXT);
        if (answer.kind !== 'taken') return;
        expect(answer.accepted + answer.rejections.length + answer.unexplained).toBe(3);
        expect(Math.min(answer.accepted, answer.unexplained)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });
});
