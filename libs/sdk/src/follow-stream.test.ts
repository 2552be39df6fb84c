import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PointSink } from './rig/point-sink.js';
import { waitFor } from './rig/wait-for.js';

const MODEL = { modelId: 'm', modelType: 'llm' } as const;
const TWO_ITEMS: unknown = { time_to_first_item_ms: expect.any(Number), items: 2 };

function webStream(pulls: string[] = [], cancelled: unknown[] = []): ReadableStream<string> {
  const items = ['a', 'b'];
  return new ReadableStream<string>(
    {
      pull(controller) {
        const item = items.shift();
        pulls.push(item ?? 'end');
        if (item === undefined) controller.close();
        else controller.enqueue(item);
      },
      cancel(reason) {
        cancelled.push(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

function byteStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk !== undefined) {
        controller.enqueue(chunk);
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('observe around what answers a web stream', () => {
  it('counts what is read of it, whichever way', async () => {
    const sink = new PointSink();
    const observed = sink.observe(() => webStream(), MODEL);
    const written: string[] = [];
    expect(await collect(observed())).toEqual(['a', 'b']);
    await observed().pipeTo(new WritableStream({ write: (item) => void written.push(item) }));
    const [left, right] = observed().tee();
    expect(await Promise.all([collect(left), collect(right)])).toEqual([written, written]);
    expect(await new Response(observed().pipeThrough(new TextEncoderStream())).text()).toBe('ab');
    expect(sink.values()).toEqual([TWO_ITEMS, TWO_ITEMS, TWO_ITEMS, TWO_ITEMS]);
  });

  it('is unlocked when it is given, locks as any, and asks for nothing by itself', async () => {
    const sink = new PointSink();
    const pulls: string[] = [];
    const stream = sink.observe(() => webStream(pulls), MODEL)();
    expect(stream.locked).toBe(false);
    const reader = stream.getReader();
    expect(() => stream.getReader()).toThrow(TypeError);
    expect(pulls).toEqual([]);
    expect(await reader.read()).toEqual({ done: false, value: 'a' });
    expect(pulls).toEqual(['a']);
  });

  it('passes a cancel on with its reason and notes the call', async () => {
    const sink = new PointSink();
    const cancelled: unknown[] = [];
    const stream = sink.observe(() => webStream([], cancelled), MODEL)();
    for await (const item of stream) {
      if (item === 'a') break;
    }
    const other = sink.observe(() => webStream([], cancelled), MODEL)();
    await other.cancel('enough');
    expect(cancelled).toEqual([undefined, 'enough']);
    expect(sink.values()).toEqual([expect.objectContaining({ items: 1 }), { items: 0 }]);
    expect(sink.errors()).toEqual([0, 0]);
  });

  it('fails with the very error of the source', async () => {
    const sink = new PointSink();
    const error = new Error('midway');
    const observed = sink.observe(() => new ReadableStream({ pull: (controller) => controller.error(error) }), MODEL);
    await expect(collect(observed())).rejects.toBe(error);
    expect(sink.errors()).toEqual([1]);
  });

  it('stays a byte stream, for readers that bring a buffer too', async () => {
    const sink = new PointSink();
    const observed = sink.observe(byteStream, MODEL);
    const reader = observed().getReader({ mode: 'byob' });
    const read: number[] = [];
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(2));
      if (done) break;
      read.push(...value);
    }
    expect(read).toEqual([1, 2, 3, 4]);
    expect(Buffer.concat(await collect(observed())).toString('hex')).toBe('01020304');
    expect(sink.values()).toEqual([TWO_ITEMS, TWO_ITEMS]);
  });

  it('goes on through a promise of one', async () => {
    const sink = new PointSink();
    const observed = sink.observe(async () => Promise.resolve(webStream()), MODEL);
    expect(await collect(await observed())).toEqual(['a', 'b']);
    expect(sink.values()).toEqual([TWO_ITEMS]);
  });

  it('leaves a locked one and one of a subclass as they are', () => {
    class Special extends ReadableStream<string> {}
    const sink = new PointSink();
    const locked = webStream();
    locked.getReader();
    const special = new Special();
    expect(sink.observe(() => locked, MODEL)()).toBe(locked);
    expect(sink.observe(() => special, MODEL)()).toBe(special);
    expect([sink.points.length, sink.openCalls]).toEqual([2, 0]);
  });
});

describe('observe around what answers a Node stream', () => {
  it('counts its chunks whichever way it is read, and answers the stream itself', async () => {
    const sink = new PointSink();
    const observed = sink.observe((stream: Readable) => stream, MODEL);
    const make = (): Readable => Readable.from(['a', 'b']);
    const iterated = make();
    expect(observed(iterated)).toBe(iterated);
    expect(await collect(iterated)).toEqual(['a', 'b']);
    const flowing = observed(make()).on('data', () => undefined);
    await waitFor('its end', () => flowing.readableEnded);
    await promisify(pipeline)(observed(make()), async (source: AsyncIterable<unknown>) => void (await collect(source)));
    expect(sink.values()).toEqual([TWO_ITEMS, TWO_ITEMS, TWO_ITEMS]);
    expect(sink.errors()).toEqual([0, 0, 0]);
  });

  it('does not start it', async () => {
    const sink = new PointSink();
    const stream = sink.observe(() => Readable.from(['a']), MODEL)();
    await new Promise(setImmediate);
    expect([stream.readableFlowing, sink.points.length]).toEqual([null, 0]);
  });

  it('notes an error, and leaves it to the host to handle', async () => {
    const sink = new PointSink();
    const error = new Error('midway');
    const stream = sink.observe(() => new Readable({ read: () => undefined }), MODEL)();
    expect(stream.listenerCount('error')).toBe(0);
    const heard: unknown[] = [];
    stream.on('error', (fault) => heard.push(fault)).destroy(error);
    await waitFor('the error', () => heard.length > 0);
    expect(heard).toEqual([error]);
    expect(sink.errors()).toEqual([1]);
  });

  it('notes a stream that is destroyed early', async () => {
    const sink = new PointSink();
    const stream = sink.observe(() => Readable.from(['a', 'b']), MODEL)();
    for await (const item of stream) {
      if (item === 'a') break;
    }
    await waitFor('the end', () => sink.points.length > 0);
    expect(sink.points).toEqual([
      expect.objectContaining({ error_rate: 0, values: expect.objectContaining({ items: 1 }) }),
    ]);
  });
});
