import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Figures } from './figures.js';

const linesOf = async (registry: Registry): Promise<string[]> => (await registry.metrics()).split('\n');

it('reads each figure when it is asked for', async () => {
  const registry = new Registry();
  const figures = new Figures(registry);
  let now = 1;
  figures.gauge('depth', 'How deep.', async () => now);
  figures.total('lost_total', 'How many.', () => now);
  figures.totals('refused_total', 'How many, by reason.', { label: 'reason', read: () => ({ full: now, late: 7 }) });
  await linesOf(registry);
  now = 5;
  const lines = await linesOf(registry);
  for (const line of ['depth 5', '# TYPE depth gauge', 'lost_total 5', '# TYPE lost_total counter'])
    expect(lines).toContain(line);
  expect(lines).toContain('refused_total{reason="full"} 5');
  expect(lines).toContain('refused_total{reason="late"} 7');
});

it('shows the others when one cannot be read, or hangs', async () => {
  const registry = new Registry();
  const figures = new Figures(registry);
  figures.gauge('away', 'Fails.', () => Promise.reject(new Error('away')));
  figures.gauge('hung', 'Never answers.', () => new Promise(() => undefined));
  figures.gauge('sound', 'Answers.', () => 3);
  const lines = await linesOf(registry);
  expect(lines).toEqual(expect.arrayContaining(['away Nan', 'hung Nan', 'sound 3']));
});
