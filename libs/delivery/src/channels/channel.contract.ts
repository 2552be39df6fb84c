import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleNotification } from '../rig/notification-sample.js';
import { until } from '../rig/until.js';
import type { Channel } from './channel.js';

/** ReceiverMood is what the receiver at the other end does. */
export type ReceiverMood = 'accept' | 'refuse for now' | 'refuse for good' | 'hang' | 'reset';

/** ChannelBench is a channel and the real receiver that it sends to. */
export interface ChannelBench {
  readonly channel: Channel;
  /** Sends to the same receiver and gives up after 300 ms; `channel` is to wait for longer than any test. */
  readonly hasty: Channel;
  /** Sends to a port where nothing listens. */
  readonly unreachable: Channel;
  setMood(mood: ReceiverMood): void;
  /** What arrived, each message as text. */
  received(): readonly string[];
  /** How many connections were made to the receiver, whatever came of them. */
  connections(): number;
  close(): Promise<void>;
}

/** describeChannel states what every channel does, whatever carries it. */
export function describeChannel(name: string, open: () => Promise<ChannelBench>): void {
  describe(`${name} as a channel`, () => {
    let bench: ChannelBench;
    const send = (signal = new AbortController().signal) => bench.channel.send(sampleNotification(), signal);

    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await bench.close();
    });

    it('sends a notification once and names the model in it', async () => {
      expect(await send()).toMatchObject({ kind: 'sent' });
      expect(bench.received()).toHaveLength(1);
      expect(bench.received()[0]).toContain('my-model');
    });

    it('asks for a retry when the receiver refuses for now, and does not retry by itself', async () => {
      bench.setMood('refuse for now');
      expect(await send()).toMatchObject({ kind: 'retry' });
      expect(bench.connections()).toBe(1);
    });

    it('rejects when the receiver refuses for good', async () => {
      bench.setMood('refuse for good');
      expect(await send()).toMatchObject({ kind: 'reject' });
    });

    it('asks for a retry when the receiver takes the message and never answers', async () => {
      bench.setMood('hang');
      const outcome = await bench.hasty.send(sampleNotification(), new AbortController().signal);
      expect(outcome).toEqual({ kind: 'retry', reason: 'no answer within 300 ms' });
    });

    it('stops waiting for an answer when it is told to', async () => {
      bench.setMood('hang');
      const controller = new AbortController();
      const sending = send(controller.signal);
      await until(() => bench.connections() === 1, 'a connection');
      controller.abort();
      expect(await sending).toEqual({ kind: 'retry', reason: 'aborted' });
    });

    it('makes no connection when it is told to stop before it begins', async () => {
      expect(await send(AbortSignal.abort())).toEqual({ kind: 'retry', reason: 'aborted' });
      expect(bench.connections()).toBe(0);
    });

    it('asks for a retry when the connection is reset', async () => {
      bench.setMood('reset');
      expect(await send()).toMatchObject({ kind: 'retry' });
    });

    it('asks for a retry when nothing listens', async () => {
      const outcome = await bench.unreachable.send(sampleNotification(), new AbortController().signal);
      expect(outcome).toMatchObject({ kind: 'retry' });
    });

    it.each(['refuse for now', 'refuse for good', 'reset'] as const)(
      'works again after the receiver did %s',
      async (mood) => {
        bench.setMood(mood);
        await send();
        bench.setMood('accept');
        expect(await send()).toMatchObject({ kind: 'sent' });
        expect(bench.received().length).toBeGreaterThanOrEqual(1);
      },
    );

    it('carries several notifications at the same time', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          bench.channel.send(sampleNotification({ event_id: `evt_${index}` }), new AbortController().signal),
        ),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(Array(5).fill('sent'));
      expect(bench.received()).toHaveLength(5);
    });
  });
}
