import { describe, expect, it } from 'vitest';
import { FakeClock } from './rig/fake-clock.js';
import { PointSink } from './rig/point-sink.js';

const MODEL = { modelId: 'm', modelType: 'llm' } as const;

async function* letters(): AsyncGenerator<string, number, string | undefined> {
  const said = yield 'a';
  yield said ?? 'b';
  return 2;
}

function* numbers(): Generator<number, string> {
  yield 1;
  yield 2;
  return 'end';
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('observe around what answers an iterator', () => {
  it('counts the items of an async generator and takes the time to the first and to the end', async () => {
    const clock = new FakeClock();
    const sink = new PointSink(clock);
    const observed = sink.observe(async function* () {
      clock.advance(30);
      yield 'a';
      clock.advance(70);
      yield 'b';
      clock.advance(5);
    }, MODEL);
    expect(await collect(observed())).toEqual(['a', 'b']);
    expect(sink.points).toEqual([
      expect.objectContaining({ latency: 105, error_rate: 0, values: { time_to_first_item_ms: 30, items: 2 } }),
    ]);
    expect(sink.openCalls).toBe(0);
  });

  it('answers the generator itself, with what is sent into it and what it returns', async () => {
    const sink = new PointSink();
    const made: unknown[] = [];
    const observed = sink.observe(() => {
      const generator = letters();
      made.push(generator);
      return generator;
    }, MODEL);
    const generator = observed();
    expect(generator).toBe(made[0]);
    expect(await generator.next()).toEqual({ done: false, value: 'a' });
    expect(await generator.next('sent')).toEqual({ done: false, value: 'sent' });
    expect(await generator.next()).toEqual({ done: true, value: 2 });
    expect(Object.keys(generator)).toEqual([]);
    expect(sink.values()).toEqual([{ time_to_first_item_ms: expect.any(Number), items: 2 }]);
  });

  it('notes nothing before the first item is asked for, nor runs the body', () => {
    const sink = new PointSink();
    let ran = false;
    sink.observe(function* () {
      ran = true;
      yield 1;
    }, MODEL)();
    expect([ran, sink.points.length, sink.openCalls]).toEqual([false, 0, 1]);
  });

  it('observes a sync generator in for-of, in a spread and through yield*', () => {
    const sink = new PointSink();
    const observed = sink.observe(numbers, MODEL);
    const seen: number[] = [];
    for (const value of observed()) seen.push(value);
    const outer = (function* () {
      return yield* observed();
    })();
    expect([...seen, ...observed(), ...outer]).toEqual([1, 2, 1, 2, 1, 2]);
    expect(sink.values()).toEqual(Array(3).fill({ time_to_first_item_ms: expect.any(Number), items: 2 }));
  });

  it('notes a loop that is left early, after the clean-up of the generator ran', async () => {
    const sink = new PointSink();
    const steps: string[] = [];
    const observed = sink.observe(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        steps.push(`cleaned up, ${String(sink.points.length)} noted`);
      }
    }, MODEL);
    for await (const item of observed()) {
      if (item === 1) break;
    }
    expect(steps).toEqual(['cleaned up, 0 noted']);
    expect(sink.points).toEqual([
      expect.objectContaining({ error_rate: 0, values: expect.objectContaining({ items: 1 }) }),
    ]);
  });

  it('notes an error thrown midway, and throws that very one', async () => {
    const sink = new PointSink();
    const error = new Error('midway');
    const observed = sink.observe(async function* () {
      yield 1;
      throw error;
    }, MODEL);
    await expect(collect(observed())).rejects.toBe(error);
    expect(sink.points).toEqual([
      expect.objectContaining({ error_rate: 1, values: expect.objectContaining({ items: 1 }) }),
    ]);
  });

  it('notes an error thrown midway by a sync generator', () => {
    const sink = new PointSink();
    const observed = sink.observe(function* () {
      yield 1;
      throw new Error('midway');
    }, MODEL);
    expect(() => [...observed()]).toThrow('midway');
    expect(sink.errors()).toEqual([1]);
  });

  it('passes throw() and return() on to the generator', () => {
    const sink = new PointSink();
    const observed = sink.observe(function* (): Generator<string> {
      try {
        yield 'first';
      } catch (error) {
        yield `caught ${String(error)}`;
      }
      yield 'last';
    }, MODEL);
    const generator = observed();
    generator.next();
    expect(generator.throw('it')).toEqual({ done: false, value: 'caught it' });
    expect(sink.points).toHaveLength(0);
    expect(generator.return('bye')).toEqual({ done: true, value: 'bye' });
    expect(sink.values()).toEqual([expect.objectContaining({ items: 2 })]);
  });

  it('leaves time to first item out where there was none', async () => {
    const sink = new PointSink();
    const observed = sink.observe(async function* () {}, MODEL);
    await collect(observed());
    expect(sink.values()).toEqual([{ items: 0 }]);
  });

  it('goes on through a promise of an iterable, timed from the call, and keeps its class', async () => {
    class Completion {
      readonly #parts = ['x', 'y'];

      async *[Symbol.asyncIterator](): AsyncGenerator<string> {
        yield* this.#parts;
      }
    }
    const clock = new FakeClock();
    const sink = new PointSink(clock);
    const observed = sink.observe(async () => {
      clock.advance(40);
      return new Completion();
    }, MODEL);
    const completion = await observed();
    expect(completion).toBeInstanceOf(Completion);
    expect(sink.points).toHaveLength(0);
    clock.advance(2);
    expect(await collect(completion)).toEqual(['x', 'y']);
    expect(await collect(completion)).toEqual(['x', 'y']);
    expect(sink.points).toEqual([
      expect.objectContaining({ latency: 42, values: { time_to_first_item_ms: 42, items: 2 } }),
    ]);
  });

  it('adds the values of the call, made of the stream that was returned', async () => {
    const sink = new PointSink();
    const observed = sink.observe(letters, {
      ...MODEL,
      values: (_, result) => ({ isGenerator: result === undefined ? 0 : 1 }),
    });
    await collect(observed());
    expect(sink.values()).toEqual([{ isGenerator: 1, time_to_first_item_ms: expect.any(Number), items: 2 }]);
  });

  it('lets an iterator without return() be without', async () => {
    const sink = new PointSink();
    let left = 2;
    const bare = {
      next: async () => Promise.resolve(left-- > 0 ? { done: false, value: left } : { done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    const observed = sink.observe(() => bare, MODEL)();
    expect('return' in observed).toBe(false);
    expect(await collect(observed)).toEqual([1, 0]);
    expect(sink.values()).toEqual([expect.objectContaining({ items: 2 })]);
  });

  it('takes arrays, maps and strings for plain values', () => {
    const sink = new PointSink();
    for (const plain of [[1, 2], new Map(), 'text', new Uint8Array(3), null]) sink.observe(() => plain, MODEL)();
    expect(sink.values()).toEqual(Array(5).fill(undefined));
  });

  it('observes twice what is wrapped twice', async () => {
    const sinks = [new PointSink(), new PointSink()] as const;
    const observed = sinks[0].observe(sinks[1].observe(letters, MODEL), MODEL);
    await collect(observed());
    expect(sinks.map((sink) => sink.values())).toEqual([
      [expect.objectContaining({ items: 2 })],
      [expect.objectContaining({ items: 2 })],
    ]);
  });

  it('leaves a frozen iterator as it is', () => {
    const sink = new PointSink();
    const observed = sink.observe(() => Object.freeze(numbers()), MODEL);
    expect([...observed()]).toEqual([1, 2]);
    expect(sink.points).toHaveLength(1);
  });
});
