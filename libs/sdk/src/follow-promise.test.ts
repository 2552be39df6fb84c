import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { PointSink } from './rig/point-sink.js';
import { runScript } from './rig/run-script.js';
import { builtSdkUrl } from './rig/built-sdk.js';

const MODEL = { modelId: 'm', modelType: 'llm' } as const;

/** ApiPromise stands for the promises of API clients: a subclass with private state and methods of its own. */
class ApiPromise<T> extends Promise<T> {
  readonly #status = 200;

  withResponse(): number {
    return this.#status;
  }
}

/** Query is a builder whose work begins when it is awaited, each time. */
class Query {
  runs = 0;
  #limit = 0;

  limit(limit: number): this {
    this.#limit = limit;
    return this;
  }

  then<T>(onFulfilled: (rows: number) => T, onRejected?: (error: unknown) => T): Promise<T> {
    this.runs++;
    const work = this.#limit < 0 ? Promise.reject(new Error('limit')) : Promise.resolve(this.#limit);
    return work.then(onFulfilled, onRejected);
  }
}

describe('observe around what answers a promise', () => {
  it('notes the call when the promise settles, not before', async () => {
    const sink = new PointSink();
    const settlers: ((text: string) => void)[] = [];
    const promise = sink.observe(() => new Promise<string>((resolve) => settlers.push(resolve)), MODEL)();
    expect([sink.points.length, sink.openCalls]).toEqual([0, 1]);
    settlers[0]?.('done');
    expect(await promise).toBe('done');
    expect([sink.points.length, sink.openCalls]).toEqual([1, 0]);
  });

  it('rejects with the very error', async () => {
    const sink = new PointSink();
    const error = new Error('the host knows it');
    const observed = sink.observe(async () => Promise.reject(error), MODEL);
    await expect(observed()).rejects.toBe(error);
    expect(sink.errors()).toEqual([1]);
  });

  it('keeps a subclass, its methods and its identity', async () => {
    const sink = new PointSink();
    const made = ApiPromise.resolve(7);
    const given: unknown = sink.observe(() => made, MODEL)();
    expect(given).toBe(made);
    expect(made).toHaveProperty('withResponse');
    expect(new ApiPromise(() => undefined).withResponse()).toBe(200);
    expect(await made).toBe(7);
    expect(sink.errors()).toEqual([0]);
  });

  it('notes a subclass that rejects, also through catch', async () => {
    const sink = new PointSink();
    const observed = sink.observe(() => ApiPromise.reject<number>(new Error('no')), MODEL);
    expect(await observed().catch(() => 'caught')).toBe('caught');
    expect(sink.errors()).toEqual([1]);
  });

  it('keeps what a library hangs on a native promise', async () => {
    const sink = new PointSink();
    const observed = sink.observe(() => Object.assign(Promise.resolve(1), { pid: 17 }), MODEL);
    const running = observed();
    expect(running.pid).toBe(17);
    expect(await running).toBe(1);
    expect(sink.points).toHaveLength(1);
  });

  it('does not start the work of a builder, nor start it twice', async () => {
    const sink = new PointSink();
    const query = new Query();
    const built = sink.observe(() => query, MODEL)();
    await sleep(1);
    expect([query.runs, sink.points.length]).toEqual([0, 0]);
    expect(await built.limit(5)).toBe(5);
    expect([query.runs, sink.points.length]).toEqual([1, 1]);
  });

  it('gives the same to all who await the same thenable', async () => {
    const sink = new PointSink();
    const stream = new ReadableStream();
    const made = sink.observe(() => ApiPromise.resolve(stream), MODEL)();
    const [first, second] = await Promise.all([made.then((value) => value), made.then((value) => value)]);
    expect(first).toBe(second);
    expect(first.locked).toBe(false);
  });

  it('notes a builder that fails', async () => {
    const sink = new PointSink();
    await expect(sink.observe(() => new Query().limit(-1), MODEL)()).rejects.toThrow('limit');
    expect(sink.errors()).toEqual([1]);
  });

  it('notes each call that answers the same thenable, without end', async () => {
    const sink = new PointSink();
    const query = new Query();
    const observed = sink.observe(() => query, MODEL);
    for (let i = 0; i < 10_000; i++) observed();
    expect(await query).toBe(0);
    expect(sink.points).toHaveLength(10_000);
  });

  it('leaves a frozen thenable as it is', async () => {
    const sink = new PointSink();
    const frozen = Object.freeze(new Query());
    expect(sink.observe(() => frozen, MODEL)()).toBe(frozen);
    expect(sink.points).toHaveLength(1);
  });

  it('leaves an object alone whose members cannot be looked at', () => {
    const sink = new PointSink();
    const hostile = {
      get then(): never {
        throw new Error('do not touch');
      },
    };
    expect(sink.observe(() => hostile, MODEL)()).toBe(hostile);
    expect(sink.points).toHaveLength(1);
  });

  it('neither hides a rejection that the host does not handle, nor makes one up', async () => {
    const script = (handled: string): string => `
      import { Tidemark } from '${sdk}';
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
      const client = new Tidemark({ url: 'http://127.0.0.1:9', warn: false, exitTimeoutMs: 0 });
      const observed = client.observe(async () => { throw new Error('mine'); }, { modelId: 'm', modelType: 'llm' });
      observed()${handled};
    `;
    const sdk = await builtSdkUrl();
    expect(await runScript(script(''))).toMatchObject({ stdout: 'unhandled mine\n', code: 0 });
    expect(await runScript(script('.catch(() => undefined)'))).toMatchObject({ stdout: '', code: 0 });
  });
});
