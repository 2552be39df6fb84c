import type { InferenceMetric } from '@tidemark/types';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Series } from '../store/point-store.js';
import { ACTIVE_MS, SeriesRegistry, textFault } from './series-registry.js';

const metric = (tags?: Record<string, string>, modelId = 'm'): InferenceMetric => ({
  model_id: modelId,
  model_type: 'llm',
  request_id: 'r',
  latency: 1,
  ...(tags ? { tags } : {}),
});

function resolved(registry: SeriesRegistry, one: InferenceMetric, nowMs = 0, project = 'p'): Series {
  const outcome = registry.resolve(project, one, nowMs);
  if (!outcome.ok) throw new Error(outcome.fault.code);
  return outcome.series;
}

describe('SeriesRegistry', () => {
  it('gives metrics with the same tags the same series, in whatever order they come', () => {
    const registry = new SeriesRegistry({ maxSeries: 10 });
    const series = resolved(registry, metric({ a: '1', b: '2' }));
    expect(resolved(registry, metric({ b: '2', a: '1' }))).toBe(series);
    expect(resolved(registry, metric({ a: '1', b: '2' }))).toBe(series);
    expect(series).toMatchObject({ project: 'p', modelId: 'm', modelType: 'llm', tags: { a: '1', b: '2' } });
    expect(registry.count('p')).toBe(1);
  });

  it('keeps the series that were seen before those of earlier lives are known', () => {
    const registry = new SeriesRegistry({ maxSeries: 2 });
    const seen = resolved(registry, metric({ a: '1' }));
    registry.load([{ ...seen }, { ...seen, key: 'of an earlier life' }], ACTIVE_MS - 1);
    expect(registry.count('p')).toBe(2);
    expect(registry.touch(seen, ACTIVE_MS)).toBe(true);
    expect(resolved(registry, metric({ a: '1' }), ACTIVE_MS)).toBe(seen);
    expect(registry.resolve('p', metric({ a: '2' }), ACTIVE_MS)).toMatchObject({ ok: false });
  });

  it('takes no tags and an empty set of tags for the same', () => {
    const registry = new SeriesRegistry({ maxSeries: 10 });
    expect(resolved(registry, metric({}))).toBe(resolved(registry, metric()));
  });

  it('tells projects, models, types and tags apart', () => {
    const registry = new SeriesRegistry({ maxSeries: 10 });
    const all = [
      resolved(registry, metric({ a: '1' })),
      resolved(registry, metric({ a: '1' }), 0, 'q'),
      resolved(registry, metric({ a: '1' }, 'n')),
      resolved(registry, { ...metric({ a: '1' }), model_type: 'cv' }),
      resolved(registry, metric({ a: '2' })),
      resolved(registry, metric({ b: '1' })),
    ];
    expect(new Set(all.map(({ key }) => key)).size).toBe(all.length);
    expect(registry.count('p')).toBe(5);
    expect(registry.count('q')).toBe(1);
  });

  it('lets no sign in a name or value pass for a separator', () => {
    const text = fc.string({ unit: fc.constantFrom('|', ':', '1', '2', 'a', '=', ','), maxLength: 6 });
    const identity = fc.record({
      project: text,
      modelId: text.map((id) => `m${id}`),
      tags: fc.dictionary(
        text.map((name) => `t${name}`),
        text,
        { maxKeys: 3 },
      ),
    });
    const canonical = ({
      project,
      modelId,
      tags,
    }: {
      project: string;
      modelId: string;
      tags: Record<string, string>;
    }) => JSON.stringify([project, modelId, Object.entries(tags).sort()]);
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const registry = new SeriesRegistry({ maxSeries: 10 });
        const keys = [a, b].map(
          ({ project, modelId, tags }) => resolved(registry, metric(tags, modelId), 0, project).key,
        );
        expect(keys[0] === keys[1]).toBe(canonical(a) === canonical(b));
      }),
      { numRuns: 5000 },
    );
  });

  it('refuses a series past the limit, and goes on with those that exist', () => {
    const registry = new SeriesRegistry({ maxSeries: 3 });
    const old = [1, 2, 3].map((i) => resolved(registry, metric({ id: `${i}` })));
    expect(registry.resolve('p', metric({ id: '4' }), 0)).toMatchObject({
      ok: false,
      fault: { pointer: '/tags', code: 'series_limit' },
    });
    expect([1, 2, 3].map((i) => resolved(registry, metric({ id: `${i}` })))).toEqual(old);
    expect(registry.count('p')).toBe(3);
  });

  it('limits each project on its own', () => {
    const registry = new SeriesRegistry({ maxSeries: 1 });
    resolved(registry, metric({ id: '1' }), 0, 'p');
    expect(registry.resolve('q', metric({ id: '2' }), 0).ok).toBe(true);
  });

  it('makes room by forgetting the series that were quiet for a day, and only those', () => {
    const registry = new SeriesRegistry({ maxSeries: 2 });
    resolved(registry, metric({ id: 'quiet' }), 0);
    resolved(registry, metric({ id: 'busy' }), 0);
    resolved(registry, metric({ id: 'busy' }), 1000);
    expect(registry.resolve('p', metric({ id: 'new' }), ACTIVE_MS - 1).ok).toBe(false);
    expect(registry.resolve('p', metric({ id: 'new' }), ACTIVE_MS).ok).toBe(true);
    expect(registry.resolve('p', metric({ id: 'quiet' }), ACTIVE_MS).ok).toBe(false);
    expect(registry.resolve('p', metric({ id: 'busy' }), ACTIVE_MS).ok).toBe(true);
    expect(registry.count('p')).toBe(2);
    expect(registry.resolve('p', metric({ id: 'quiet' }), 2 * ACTIVE_MS).ok).toBe(true);
  });

  it('refuses a flood of new series without looking at the old ones each time', () => {
    const registry = new SeriesRegistry({ maxSeries: 10_000 });
    for (let i = 0; i < 10_000; i++) resolved(registry, metric({ id: `${i}` }));
    let refused = 0;
    // Looking at ten thousand series for each of these would take minutes.
    for (let i = 0; i < 100_000; i++) if (!registry.resolve('p', metric({ id: `new ${i}` }), i).ok) refused++;
    expect(refused).toBe(100_000);
  });

  it('takes over the series of an earlier life with their keys, even past a limit that was lowered', () => {
    const before = new SeriesRegistry({ maxSeries: 10 });
    const known = ['a', 'b', 'c'].map((id) => resolved(before, metric({ id })));
    const registry = new SeriesRegistry({ maxSeries: 2 });
    registry.load(known, 0);
    registry.load(known, 0);
    expect(registry.count('p')).toBe(3);
    expect(resolved(registry, metric({ id: 'b' }))).toBe(known[1]);
    expect(registry.resolve('p', metric({ id: 'd' }), 0).ok).toBe(false);
  });

  it('keeps one series for tags in countless orders', () => {
    const registry = new SeriesRegistry({ maxSeries: 10 });
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const shuffled = fc.shuffledSubarray(names, { minLength: names.length });
    fc.assert(
      fc.property(shuffled, (order) => {
        resolved(registry, metric(Object.fromEntries(order.map((name) => [name, 'x']))));
        expect(registry.count('p')).toBe(1);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('textFault', () => {
  const tagged = (name: string, value = 'x') => textFault({ model_id: 'm', tags: Object.fromEntries([[name, value]]) });

  it.each([
    ['__proto__', 'reserved_name', '/tags/__proto__'],
    ['constructor', 'reserved_name', '/tags/constructor'],
    ['prototype', 'reserved_name', '/tags/prototype'],
    ['', 'length', '/tags/'],
    ['x'.repeat(65), 'length', `/tags/${'x'.repeat(64)}`],
    ['line\nbreak', 'bad_text', '/tags'],
    ['half \ud800', 'bad_text', '/tags'],
    ['\u2028', 'bad_text', '/tags'],
  ])('refuses the tag name %j', (name, code, pointer) => {
    expect(tagged(name)).toMatchObject({ code, pointer });
  });

  it.each(['\u0000', '\u001b[31m', '\r\n', '\u007f', '\u0085', '\udfff', 'a\ud83d'])(
    'refuses %j in a value or a model id',
    (bad) => {
      expect(tagged('a/b', bad)).toMatchObject({ code: 'bad_text', pointer: '/tags/a~1b' });
      expect(textFault({ model_id: bad })).toMatchObject({ code: 'bad_text', pointer: '/model_id' });
    },
  );

  it.each(['größe', '模型', '👩‍🚀', 'a=b,c d', '"\\', '__proto', '<b>'])('lets %j through', (text) => {
    expect(tagged(text, text)).toBeNull();
  });
});
