import { DEFAULT_PROJECT } from '@tidemark/state';
import { expect, it, onTestFinished } from 'vitest';
import { LedgerBench } from '../rig/ledger-bench.js';
import { ChannelKinds } from './channel-kinds.js';

it('knows the kind of a channel that was made after its start, once that was looked up', async () => {
  const bench = await LedgerBench.open();
  onTestFinished(() => bench.close());
  const kinds = new ChannelKinds(bench.channels);
  const id = await bench.addWebhook('http://127.0.0.1:1/');
  expect(kinds.kindOf(id)).toBe('unknown');
  expect(await kinds.get(DEFAULT_PROJECT, id)).toMatchObject({ id, enabled: true });
  expect(kinds.kindOf(id)).toBe('webhook');
  expect(await kinds.get(DEFAULT_PROJECT, 'nobody')).toBeNull();
});
