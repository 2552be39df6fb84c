import { describe, expect, it, vi } from 'vitest';
import type { LiveBus, LiveMessage } from './live-bus.js';
import { makeAlert, makeDrift, makePoint } from './rig/points.js';

/** describeBus states what every LiveBus does; `open` makes one that nobody else publishes on. */
export function describeBus(open: () => Promise<LiveBus>): void {
  const news = (seq: number): LiveMessage => ({ kind: 'inference', project: 'default', items: [makePoint({ seq })] });
  const seqs = (heard: readonly LiveMessage[]) =>
    heard.flatMap((message) => (message.kind === 'inference' ? message.items.map(({ seq }) => seq) : []));
  const until = (condition: () => void) => vi.waitFor(condition, { timeout: 10_000, interval: 5 });

  async function withBus(use: (bus: LiveBus) => Promise<void>): Promise<void> {
    const bus = await open();
    try {
      await use(bus);
    } finally {
      await bus.close();
    }
  }

  describe('a live bus', () => {
    it('hands every message to every subscriber, whole and in order', () =>
      withBus(async (bus) => {
        const heard: LiveMessage[][] = [[], []];
        for (const messages of heard) bus.subscribe((message) => messages.push(message));
        const messages: LiveMessage[] = [
          news(1),
          { kind: 'drift', project: 'other', items: [makeDrift('other')] },
          { kind: 'alert', project: 'default', items: [makeAlert('a1')] },
          news(2),
        ];
        for (const message of messages) bus.publish(message);
        await until(() => expect(heard).toEqual([messages, messages]));
      }));

    it('keeps the order and the number of a crowd of messages', () =>
      withBus(async (bus) => {
        const heard: LiveMessage[] = [];
        bus.subscribe((message) => heard.push(message));
        const expected = Array.from({ length: 2000 }, (_, i) => i + 1);
        for (const seq of expected) bus.publish(news(seq));
        await until(() => expect(seqs(heard)).toEqual(expected));
      }));

    it('says nothing to a subscriber from before it came or after it left', () =>
      withBus(async (bus) => {
        const [early, late]: LiveMessage[][] = [[], []];
        bus.publish(news(1));
        const leave = bus.subscribe((message) => early?.push(message));
        bus.publish(news(2));
        await until(() => expect(seqs(early ?? [])).toEqual([2]));
        leave();
        leave();
        bus.subscribe((message) => late?.push(message));
        bus.publish(news(3));
        await until(() => expect(seqs(late ?? [])).toEqual([3]));
        expect(seqs(early ?? [])).toEqual([2]);
      }));

    it('spares the publisher and the other subscribers a listener that throws', () =>
      withBus(async (bus) => {
        const heard: LiveMessage[] = [];
        bus.subscribe(() => {
          throw new Error('a listener failed');
        });
        bus.subscribe((message) => heard.push(message));
        for (const seq of [1, 2]) expect(() => bus.publish(news(seq))).not.toThrow();
        await until(() => expect(seqs(heard)).toEqual([1, 2]));
      }));

    it('lets a listener leave while it is being called', () =>
      withBus(async (bus) => {
        const heard: number[] = [];
        const leave = bus.subscribe((message) => {
          heard.push(...seqs([message]));
          leave();
        });
        const witness: LiveMessage[] = [];
        bus.subscribe((message) => witness.push(message));
        for (const seq of [1, 2]) bus.publish(news(seq));
        await until(() => expect(seqs(witness)).toEqual([1, 2]));
        expect(heard).toEqual([1]);
      }));

    it('tells what is published here whether somebody follows the project or not, once each', () =>
      withBus(async (bus) => {
        const heard: LiveMessage[] = [];
        bus.subscribe((message) => heard.push(message));
        bus.publish(news(1));
        const unfollow = bus.follow('default');
        const again = bus.follow('default');
        bus.publish(news(2));
        unfollow();
        unfollow();
        bus.publish(news(3));
        again();
        bus.publish(news(4));
        await until(() => expect(seqs(heard)).toEqual([1, 2, 3, 4]));
      }));

    it('reaches nobody once it is closed, and can be closed twice', async () => {
      const bus = await open();
      const heard: LiveMessage[] = [];
      bus.subscribe((message) => heard.push(message));
      await bus.close();
      await bus.close();
      expect(() => bus.publish(news(1))).not.toThrow();
      expect(bus.subscribe((message) => heard.push(message))).toBeTypeOf('function');
      expect(bus.follow('default')).toBeTypeOf('function');
      bus.publish(news(2));
      expect(heard).toEqual([]);
    });
  });
}
