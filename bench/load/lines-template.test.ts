import { describe, expect, it } from 'vitest';
import { LinesTemplate } from './lines-template.js';
import { metricText, seededRandom } from './metric-text.js';

describe('LinesTemplate', () => {
  it('gives each line its time, its number and its request id, over what an earlier send left', () => {
    const template = new LinesTemplate(3, '/write?db=d', seededRandom(1));
    template.stamp({ firstMs: 1_999_999_999_999, stepMs: 0 }, 9_999_999_999_999_990);
    template.stamp({ firstMs: 1_700_000_000_000, stepMs: 0.5 }, 1_700_000_000_000_015);
    const ends = template.bytes.toString('latin1').match(/request_id="[^"]+",seq=\d+i \d+\n/g);
    const idOf = (number: number) => (number % 16 ** 12).toString(16).padStart(12, '0');
    expect(ends).toEqual(
      [
        [1_700_000_000_000_015, '1700000000000000015'],
        [1_700_000_000_000_016, '1700000000000000016'],
        [1_700_000_000_000_017, '1700000000001000017'],
      ].map(([seq, time]) => `request_id="00000000-0000-4000-8000-${idOf(Number(seq))}",seq=${seq}i ${time}\n`),
    );
  });

  it('says how long its body is', () => {
    const [head = '', body] = new LinesTemplate(2, '/write?db=d', seededRandom(1)).bytes.toString().split('\r\n\r\n');
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body ?? '')}`);
  });

  it('holds the metrics that the same seed makes as JSON', () => {
    const lines = new LinesTemplate(20, '/write', seededRandom(7)).bytes.toString('latin1').split('\r\n\r\n')[1];
    const random = seededRandom(7);
    for (const line of (lines ?? '').trim().split('\n')) {
      const metric: unknown = JSON.parse(metricText(random));
      const latency = Number(/latency=([\d.]+)/.exec(line)?.[1]);
      expect(metric).toMatchObject({
        latency,
        model_id: /model=([^,]+)/.exec(line)?.[1],
        tags: { region: /t\.region=([^,]+)/.exec(line)?.[1] },
      });
    }
  });
});
