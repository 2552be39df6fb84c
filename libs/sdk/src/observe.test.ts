import { describe, expect, expectTypeOf, it } from 'vitest';
import { Tidemark } from './client.js';
import { observeWith } from './observe.js';
import type { ObserveOptions } from './observe-options.js';
import { FakeClock } from './rig/fake-clock.js';
import { PointSink } from './rig/point-sink.js';

const MODEL = { modelId: 'm', modelType: 'llm' } as const;

class Adder {
  readonly #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  add(this: Adder, amount: number): number {
    return this.#base + amount;
  }
}

describe('observe around a function', () => {
  it('keeps this, name, length, properties and the value', () => {
    const { observe } = new PointSink();
    const original = Object.assign(Adder.prototype.add, { note: 'kept' });
    const observed = observe(original, MODEL);
    expect(observed.call(new Adder(40), 2)).toBe(42);
    expect([observed.name, observed.length, observed.note]).toEqual(['add', 1, 'kept']);
  });

  it('keeps the type, with generics and overloads', () => {
    const { observe } = new PointSink();
    const first = observe(<T>(items: readonly T[]): T | undefined => items[0], MODEL);
    expectTypeOf(first).toEqualTypeOf<<T>(items: readonly T[]) => T | undefined>();
    const typed = observe(async (text: string, limit = 1) => text.length + limit, {
      ...MODEL,
      tags: ([text, limit], result) => {
        expectTypeOf(text).toEqualTypeOf<string>();
        expectTypeOf(limit).toEqualTypeOf<number | undefined>();
        expectTypeOf(result).toEqualTypeOf<number | undefined>();
        return {};
      },
    });
    expectTypeOf(typed).toEqualTypeOf<(text: string, limit?: number) => Promise<number>>();
    expect(first([7])).toBe(7);
  });

  it('throws the very error that the function threw', () => {
    const sink = new PointSink();
    const error = new RangeError('the host knows it');
    const observed = sink.observe(() => {
      throw error;
    }, MODEL);
    expect(observed).toThrow(error);
    expect(sink.errors()).toEqual([1]);
  });

  it('measures the call, and stamps it with the time of its end', () => {
    const clock = new FakeClock();
    const sink = new PointSink(clock);
    clock.advance(100);
    sink.observe(() => clock.advance(25), MODEL)();
    expect(sink.points).toEqual([
      {
        model_id: 'm',
        model_type: 'llm',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        latency: 25,
        error_rate: 0,
        timestamp: Date.UTC(2026, 0, 1) + 125,
      },
    ]);
  });

  it.each([0, -50, Number.NaN])('reports a latency above 0 though the clock went %d ms', (ms) => {
    let elapsed = 1_000;
    const clock = { now: () => 0, elapsed: () => elapsed, after: () => () => undefined };
    const sink = new PointSink(clock);
    sink.observe(() => (elapsed += ms), MODEL)();
    expect(sink.points[0]).toMatchObject({ latency: 0.001 });
  });

  it('can still be constructed, as its class', () => {
    const sink = new PointSink();
    const Observed = sink.observe(function Model(this: { size?: number }, size: number): void {
      this.size = size;
    }, MODEL);
    const made: unknown = Reflect.construct(Observed, [3]);
    expect(made).toBeInstanceOf(Observed);
    expect(made).toEqual({ size: 3 });
  });

  it('notes fixed tags and values, as they were when it was wrapped', () => {
    const sink = new PointSink();
    const tags = { region: 'eu' };
    const observed = sink.observe(() => 1, { ...MODEL, tags, values: { shards: 2, gone: null } });
    tags.region = 'us';
    observed();
    expect(sink.points[0]).toMatchObject({ tags: { region: 'eu' }, values: { shards: 2 } });
  });

  it('notes what is made of arguments and result', async () => {
    const sink = new PointSink();
    const observed = sink.observe(async (prompt: string) => ({ text: prompt.toUpperCase(), tokens: 3 }), {
      ...MODEL,
      tags: ([prompt]) => ({ prompt }),
      values: (_, result) => ({ tokens: result?.tokens }),
      requestId: ([prompt]) => `id of ${prompt}`,
    });
    await observed('hi');
    expect(sink.points[0]).toMatchObject({ tags: { prompt: 'hi' }, values: { tokens: 3 }, request_id: 'id of hi' });
  });

  it('gives them no result of a call that failed', () => {
    const sink = new PointSink();
    const seen: unknown[] = [];
    const observed = sink.observe(
      (): number => {
        throw new Error('no');
      },
      { ...MODEL, values: (_, result) => void seen.push(result) },
    );
    expect(observed).toThrow('no');
    expect(seen).toEqual([undefined]);
  });

  it('keeps to itself what they throw or get wrong, counts it, and still notes the call', () => {
    const sink = new PointSink();
    const fail = (): never => {
      throw new Error('annotation');
    };
    const observed = sink.observe(() => 5, {
      ...MODEL,
      tags: fail,
      values: () => ({ a: Number.NaN, b: 1 }),
      requestId: fail,
    });
    expect(observed()).toBe(5);
    expect(sink.leftOut).toBe(3);
    expect(sink.points[0]).toMatchObject({ values: { b: 1 } });
    expect(sink.points[0]).not.toHaveProperty('tags');
  });

  it('counts each call as refused where its options name no model, and calls all the same', () => {
    const sink = new PointSink();
    const untyped: { options?: ObserveOptions<[], number> } = {};
    for (const options of [undefined, null, {}, { modelId: '', modelType: 'llm' }, { modelId: 'm' }]) {
      Object.assign(untyped, { options });
      // As a program without types may call it.
      const observed: unknown = Reflect.apply(sink.observe, undefined, [() => 5, untyped.options]);
      expect(typeof observed === 'function' ? observed() : observed).toBe(5);
    }
    expect(sink.refusals).toHaveLength(5);
  });

  it('gives a point a request id of its own each time', () => {
    const sink = new PointSink();
    const observed = sink.observe(() => 1, MODEL);
    for (let i = 0; i < 100; i++) observed();
    expect(new Set(sink.points.map((point) => point['request_id'])).size).toBe(100);
  });
});

describe('observeWith', () => {
  it('lets calls pass until there is a client, then observes with it, and with the next one after', () => {
    const sinks = [new PointSink(), new PointSink()];
    let current: PointSink | undefined;
    const observed = observeWith(() => current)((a: number) => a + 1, MODEL);
    expect(observed(1)).toBe(2);
    for (const sink of sinks) {
      current = sink;
      expect([observed(1), observed(2)]).toEqual([2, 3]);
    }
    expect(sinks.map((sink) => sink.points.length)).toEqual([2, 2]);
  });

  it('lets calls pass where asking for the client throws', () => {
    const observed = observeWith(() => {
      throw new Error('not yet');
    })((a: number) => a + 1, MODEL);
    expect(observed(1)).toBe(2);
  });

  it('takes a client as its source', async () => {
    const client = new Tidemark({ url: 'http://127.0.0.1:9', warn: false });
    observeWith(() => client)(() => 1, MODEL)();
    expect(client.stats()).toMatchObject({ recorded: 1, buffered: 1 });
    await client.close(0);
  });
});
