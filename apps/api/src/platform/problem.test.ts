import { BadRequestException, NotFoundException } from '@nestjs/common';
import { SqliteError } from '@tidemark/sqlite';
import { StateUnavailableError } from '@tidemark/state';
import { ERROR_CODES, ITEM_CODES } from '@tidemark/types';
import { describe, expect, it } from 'vitest';
import { StoreFault } from '../store/store-fault.js';
import { errorPage } from './openapi/error-page.js';
import { toProblem } from './problem-filter.js';
import { HttpProblem } from './problem.js';

describe('HttpProblem', () => {
  it('is a problem document with the status and title of its code', () => {
    const errors = [{ pointer: '/latency', code: 'range', message: 'must be > 0' }] as const;
    expect(new HttpProblem('validation_failed', '1 fault', { errors }).document('req-1')).toEqual({
      type: '/docs/errors#validation_failed',
      title: ERROR_CODES.validation_failed.title,
      status: 422,
      detail: '1 fault',
      instance: 'urn:request:req-1',
      code: 'validation_failed',
      errors,
    });
  });

  it('sends Retry-After in whole seconds, never early', () => {
    expect(new HttpProblem('overloaded', 'x', { retryAfterS: 0.2 }).headers).toEqual({ 'retry-after': '1' });
    expect(new HttpProblem('not_found', 'x').headers).toEqual({});
  });
});

describe('toProblem', () => {
  const fault = (statusCode: number, message = 'said so') => Object.assign(new Error(message), { statusCode });

  it.each([
    [new HttpProblem('conflict', 'x'), 'conflict'],
    [new NotFoundException('x'), 'not_found'],
    [new BadRequestException('x'), 'malformed_body'],
    [fault(413), 'body_too_large'],
    [fault(415), 'unsupported_media_type'],
    [fault(500), 'internal'],
    [new SqliteError('x', 'SQLITE_FULL'), 'storage_unavailable'],
    [new SqliteError('x', 'SQLITE_IOERR'), 'storage_unavailable'],
    [new SqliteError('x', 'SQLITE_IOERR_FSYNC'), 'storage_unavailable'],
    [new SqliteError('x', 'SQLITE_BUSY'), 'storage_unavailable'],
    [new SqliteError('x', 'SQLITE_READONLY_DBMOVED'), 'storage_unavailable'],
    [new StateUnavailableError(new Error('x')), 'storage_unavailable'],
    [new SqliteError('x', 'SQLITE_CONSTRAINT_PRIMARYKEY'), 'internal'],
    [new SqliteError('x', 'SQLITE_FULLY'), 'internal'],
    [new Error('x'), 'internal'],
    ['text', 'internal'],
    [null, 'internal'],
  ])('makes of %s: %s', (error, code) => {
    expect(toProblem(error).code).toBe(code);
  });

  it('says when to come again to a server that a framework calls unavailable', () => {
    expect(toProblem(fault(503))).toMatchObject({ code: 'draining', headers: { 'retry-after': '2' } });
  });

  it('says when to come again to a disk that is full', () => {
    expect(toProblem(new SqliteError('x', 'SQLITE_FULL')).headers).toEqual({ 'retry-after': '1' });
  });

  it.each([
    [new StoreFault('unreachable', 'x'), '1'],
    [new StoreFault('timeout', 'x'), '5'],
    [new StoreFault('overloaded', 'x', { retryAfterMs: 7500 }), '8'],
    [new StoreFault('overloaded', 'x', { retryAfterMs: 0 }), '1'],
    [new StoreFault('overloaded', 'x', { retryAfterMs: 86_400_000 }), '60'],
  ])('says when to come again to a server of points that is away: %o', (fault, wanted) => {
    const { code, headers } = toProblem(fault);
    expect([code, headers]).toEqual(['storage_unavailable', { 'retry-after': wanted }]);
  });

  it('tells a client nothing of a defect of ours, and keeps it for the log', () => {
    const cause = new Error('password is hunter2');
    const problem = toProblem(cause);
    expect(JSON.stringify(problem.document('r'))).not.toContain('hunter2');
    expect(problem.cause).toBe(cause);
  });
});

describe('errorPage', () => {
  it('has a place for every code, so that the type of each problem leads somewhere', () => {
    const page = errorPage();
    for (const code of Object.keys(ERROR_CODES)) expect(page).toContain(`id="${code}"`);
    for (const code of Object.keys(ITEM_CODES)) expect(page).toContain(`<code>${code}</code>`);
    expect(page).not.toMatch(/<key>|<script/);
  });
});
