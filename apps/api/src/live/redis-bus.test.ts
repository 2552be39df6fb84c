import { randomBytes } from 'node:crypto';
import { openRedis } from '@tidemark/redis/open';
import { canRun } from '@tidemark/servers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useRedis } from '../rig/use-redis.js';
import { waitFor } from '../rig/wait-for.js';
import { describeBus } from './live-bus.contract.js';
import type { LiveMessage } from './live-bus.js';
import { RedisBus, type RedisBusOptions } from './redis-bus.js';
import { makeAlert, makePoint } from './rig/points.js';

const news = (seq: number, project = 'default'): LiveMessage => ({
  kind: 'inference',
  project,
  items: [makePoint({ seq, project })],
});

describe.skipIf(!canRun('redis-server'))('RedisBus', () => {
  const redis = useRedis();

  interface Instance {
    readonly bus: RedisBus;
    readonly heard: LiveMessage[];
    readonly dropped: Record<string, number>;
  }
  async function instance(prefix: string, changes: Partial<RedisBusOptions> = {}): Promise<Instance> {
    const subscriber = openRedis({ url: redis.server.url, role: 'subscriber', onFault: () => undefined });
    const dropped: Record<string, number> = {};
    const heard: LiveMessage[] = [];
    const bus = RedisBus.open({
      ...{
        publisher: redis.link,
        subscriber,
        prefix,
        instance: randomBytes(8).toString('hex'),
        steadyMs: () => performance.now(),
      },
      dropped: (kind, items) => (dropped[kind] = (dropped[kind] ?? 0) + items),
      ...changes,
    });
    onTestFinished(async () => {
      await bus.close();
      await subscriber.close();
    });
    bus.subscribe((message) => heard.push(message));
    await subscriber.whenUp(10_000);
    return { bus, heard, dropped };
  }
  const seqs = (heard: readonly LiveMessage[]): number[] =>
    heard.flatMap((message) => (message.kind === 'inference' ? message.items.map(({ seq }) => seq) : []));
  /** Publishes from `from` until `to` hears it: who follows is learnt a moment after it follows. */
  async function meet(from: Instance, to: Instance, project = 'default'): Promise<void> {
    await waitFor('the other instance', () => {
      from.bus.publish(news(0, project));
      return to.heard.some((message) => message.project === project);
    });
    for (const one of [from, to]) one.heard.length = 0;
  }

  let contracts = 0;
  describeBus(async () => (await instance(`contract${(contracts += 1)}:`)).bus);

  describe('over instances', () => {
    it('brings to another instance what it follows, whole, in order and once, and to itself once', async () => {
      const [here, there] = [await instance('a:'), await instance('a:')];
      there.bus.follow('default');
      await meet(here, there);
      here.heard.length = 0;
      const expected = Array.from({ length: 500 }, (_, i) => i + 1);
      for (const seq of expected) here.bus.publish(news(seq));
      expect(seqs(here.heard)).toEqual(expected);
      await waitFor('the last', () => seqs(there.heard).includes(500));
      expect(seqs(there.heard).filter((seq) => seq > 0)).toEqual(expected);
      expect(there.heard.at(-1)).toEqual(news(500));
      expect(seqs(here.heard)).toEqual(expected);
    });

    it('brings alerts to all, and the points of a project to nobody who does not follow it', async () => {
      const [here, there] = [await instance('b:'), await instance('b:')];
      there.bus.follow('mine');
      await meet(here, there, 'mine');
      here.bus.publish(news(1, 'other'));
      here.bus.publish({ kind: 'alert', project: 'other', items: [makeAlert('a1')] });
      await waitFor('the alert', () => there.heard.some(({ kind }) => kind === 'alert'));
      expect(there.heard.filter(({ project }) => project === 'other').map(({ kind }) => kind)).toEqual(['alert']);
      expect(here.dropped).toEqual({});
    });

    it('hears no more of a project when the last one here stops following it', async () => {
      const [here, there] = [await instance('c:'), await instance('c:')];
      const stops = [there.bus.follow('p'), there.bus.follow('p')];
      await meet(here, there, 'p');
      stops[0]?.();
      here.bus.publish(news(1, 'p'));
      await waitFor('news', () => seqs(there.heard).includes(1));
      stops[1]?.();
      const channel = 'c:inference:p';
      await waitFor('nobody', async () => Number((await redis.link.client.pubsub('NUMSUB', channel))[1]) === 0);
    });

    it('tells an instance that starts later what is followed', async () => {
      const first = await instance('d:');
      first.bus.follow('default');
      const late = await instance('d:');
      await meet(late, first);
    });

    it('counts what it cannot read and goes on', async () => {
      const [here, there] = [await instance('e:'), await instance('e:')];
      there.bus.follow('default');
      await meet(here, there);
      for (const text of ['x\n[9]', 'no line feed', '']) await redis.link.client.publish('e:inference:default', text);
      await redis.link.client.publish('e:follow', 'x\n{}');
      await waitFor('the count', () => there.bus.unreadable === 4);
      here.bus.publish(news(7));
      await waitFor('news', () => seqs(there.heard).includes(7));
    });

    it('tells, once a connection, that Redis does not let it hear the others', async () => {
      await redis.link.client.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', 'allkeys', 'resetchannels', 'allcommands');
      const url = redis.server.url.replace('redis://', 'redis://deaf:pw@');
      const subscriber = openRedis({ url, role: 'subscriber', onFault: () => undefined });
      const told: unknown[] = [];
      const bus = RedisBus.open({
        ...{ publisher: redis.link, subscriber, prefix: 'r:', instance: 'deaf', steadyMs: () => performance.now() },
        dropped: () => undefined,
        onRefused: (error) => told.push(error),
      });
      onTestFinished(async () => {
        await bus.close();
        await subscriber.close();
      });
      await waitFor('the refusal', () => told.length > 0);
      bus.follow('p');
      await subscriber.client.ping();
      expect(told).toEqual([expect.objectContaining({ message: expect.stringContaining('NOPERM') })]);
    });

    it('drops and counts what Redis does not take, and neither waits nor grows', async () => {
      const [here, there] = [await instance('f:', { maxPendingBytes: 10_000 }), await instance('f:')];
      there.bus.follow('default');
      await meet(here, there);
      redis.server.pause();
      onTestFinished(() => redis.server.resume());
      for (let seq = 1; seq <= 1000; seq += 1) here.bus.publish(news(seq));
      expect(seqs(here.heard)).toHaveLength(1000);
      expect(here.dropped['inference']).toBeGreaterThan(900);
      await waitFor('the end of the connection', () => !redis.link.isUp);
      await waitFor('the count of all', () => here.dropped['inference'] === 1000);
      here.bus.publish({ kind: 'alert', project: 'default', items: [makeAlert('a1')] });
      expect(here.dropped).toEqual({ inference: 1000, alert: 1 });
      redis.server.resume();
      await redis.link.whenUp(20_000);
      await meet(here, there);
    });

    it('listens again after Redis was dead', async () => {
      const [here, there] = [await instance('g:'), await instance('g:')];
      there.bus.follow('default');
      await meet(here, there);
      await redis.server.kill();
      await waitFor('a dead Redis', () => !redis.link.isUp);
      there.bus.follow('new');
      await redis.server.start();
      await meet(here, there);
      await meet(here, there, 'new');
    });
  });
});
