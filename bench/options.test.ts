import { expect, it } from 'vitest';
import { readOptions } from './options.js';

const KNOWN = ['ingest', 'production-ingest', 'production-scale'];

it.each([
  [['ingest'], ['ingest']],
  [['production'], ['production-ingest', 'production-scale']],
  [
    ['production-scale', 'ingest'],
    ['production-scale', 'ingest'],
  ],
  [[], []],
])('takes %j as the figures %j', (args, figures) => {
  expect(readOptions(args, KNOWN)).toMatchObject({ kind: 'options', options: { figures } });
});

it('does not know half a word', () => {
  expect(readOptions(['prod'], KNOWN)).toMatchObject({ kind: 'fault' });
});
