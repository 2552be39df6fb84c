import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OwnServer } from '../rig/own-server.js';
import { faultSentence } from './fault-sentence.js';

const MODEL = { id: 'm', name: 'n', model_type: 'llm', version: '1', environment: 'dev' };
const KEY = { name: 'k', scopes: ['read'] };
const CHANNEL = { name: 'c', kind: 'slack', url: 'https://hooks.slack.com/services/x' };

let server: OwnServer;
beforeAll(async () => (server = await OwnServer.start()));
afterAll(() => server.stop());

describe('a body that is not valid', () => {
  it.each([
    ['models', { ...MODEL, id: 5 }, '/id must be a string'],
    ['models', { ...MODEL, id: '' }, '/id must have 1 to 256 characters'],
    ['models', { ...MODEL, model_type: 'gpt' }, '/model_type must be one of llm, cv, tabular'],
    ['models', { ...MODEL, thresholds: 'none' }, '/thresholds must be an object'],
    ['models', { ...MODEL, thresholds: { latency: 'half' } }, '/thresholds/latency must be a number'],
    ['models', { ...MODEL, thresholds: { latency: 0 } }, '/thresholds/latency must be above 0'],
    ['models', { ...MODEL, thresholds: { error_rate: -1 } }, '/thresholds/error_rate must be at least 0'],
    ['models', { ...MODEL, thresholds: { cpu_usage: 2 } }, '/thresholds/cpu_usage must be at most 1'],
    ['models', { ...MODEL, resolve_after: 1.5 }, '/resolve_after must be an integer'],
    ['models', { ...MODEL, repeat_interval: 5 }, '/repeat_interval must be at least 60'],
    ['models', { ...MODEL, channels: 'c' }, '/channels must be an array'],
    ['models', { ...MODEL, channels: [1] }, '/channels each item must be a string'],
    ['models', { ...MODEL, channels: Array(33).fill('c') }, '/channels must have at most 32 items'],
    ['keys', { ...KEY, name: '' }, '/name must have at least 1 character'],
    ['keys', { ...KEY, name: 'x'.repeat(201) }, '/name must have at most 200 characters'],
    ['keys', { ...KEY, scopes: [] }, '/scopes must have at least 1 item'],
    ['keys', { ...KEY, scopes: ['all'] }, '/scopes each item must be one of read, write, admin'],
    [
      'keys',
      { ...KEY, project: 'No Name' },
      '/project must have 1 to 63 characters of a-z, 0-9, _ and -, and begin with ',
    ],
    ['channels', { ...CHANNEL, enabled: 'yes' }, '/enabled must be true or false'],
    ['alerts/a/resolve', { comment: 'x'.repeat(2001) }, '/comment must have at most 2000 characters'],
    ['alerts/resolve', { alert_id: 'x'.repeat(65) }, '/alert_id must have at most 64 characters'],
    ['models', { ...MODEL, name: 5, version: 5 }, '/name must be a string, and 1 more fault, see errors'],
    ['models', {}, '/id is required, and 4 more faults, see errors'],
    ['metrics/inference', {}, '/model_id is required, and 3 more faults, see errors'],
  ])('for %s, %j, is told: %s', async (path, body, detail) => {
    const answer = await server.ask('POST', `/api/v1/${path}`, body);
    expect([answer.status, (await answer.json()).detail]).toEqual([422, expect.stringContaining(detail)]);
  });

  it('has a detail of queries that counts their faults, too', async () => {
    const detailOf = async (query: string) =>
      (await (await server.ask('GET', `/api/v1/summary?${query}`)).json()).detail;
    expect(await detailOf('since_hours=0')).toBe('since_hours must be >= 1');
    expect((await (await server.ask('GET', '/api/v1/alerts?since_hours=0&limit=0&severity=x')).json()).detail).toMatch(
      /^\w+ must be .*, and 2 more faults, see errors$/,
    );
    expect(await detailOf(Array.from({ length: 30 }, (_, i) => `n${i}=1`).join('&'))).toMatch(
      /, and 29 more faults, see errors$/,
    );
  });
});

describe('faultSentence', () => {
  it.each([
    ['minLength', 'by must be longer than or equal to 1 characters', 'must have at least 1 character'],
    [
      'isLength',
      'by must be longer than or equal to 1 and shorter than or equal to 9 characters',
      'must have 1 to 9 characters',
    ],
    ['matches', 'by must match /x/ regular expression', 'does not have the expected form'],
    ['nestedValidation', 'nested property thresholds must be either object or array', 'must be an object'],
    ['isSomething', 'by must be something', 'must be something'],
  ])('makes of %s: %s', (constraint, message, wanted) => {
    expect(faultSentence(constraint, message)).toBe(wanted);
  });
});
