import 'reflect-metadata';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../ingest/body.js';
import { compileSchema } from '../ingest/schema-check.js';
import { readConfig } from '../config.js';
import { InferenceMetricSchema } from '@tidemark/types';
import { Registration } from '../rules/registration.js';
import { banner } from './banner.js';
import { validated } from './validated.js';

const outcome = readConfig({ TIDEMARK_DATA_DIR: '/srv/tidemark' });
if (!outcome.ok) throw new Error(outcome.faults.join());
const { config } = outcome;

describe('banner', () => {
  it('says where everything is', () => {
    const text = banner('http://127.0.0.1:8123', config, false);
    for (const part of ['http://127.0.0.1:8123/docs', 'http://127.0.0.1:8123/metrics', '/srv/tidemark', 'Ctrl-C'])
      expect(text).toContain(part);
    expect(text).not.toContain('\u001b');
    expect(stripVTControlCharacters(banner('http://127.0.0.1:8123', config, true))).toBe(text);
  });

  it('offers lines to try whose bodies are valid, and whose metric breaks the limit of its model', () => {
    const bodies = [...banner('http://x', config, false).matchAll(/-d '([^']+)'/g)].map(([, body = '']) =>
      parseJson(Buffer.from(body)),
    );
    expect(bodies).toHaveLength(2);
    const model = validated(Registration, bodies[0]);
    const inference = compileSchema<{ model_id: string; latency: number }>(InferenceMetricSchema);
    const metric = bodies[1];
    if (!inference.accepts(metric)) throw new Error('the metric is not valid');
    expect(metric.model_id).toBe(model.id);
    expect(metric.latency).toBeGreaterThan(model.thresholds?.latency ?? Infinity);
  });
});
