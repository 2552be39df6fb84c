import { describe, expect, it } from 'vitest';
import { Alerts } from './alerts.js';
import { Channels } from './channels.js';
import { Deliveries } from './deliveries.js';
import { aFiring, committed, type MakeEngine, someModel, useState } from './engine.contract.js';
import { ChannelGoneError, Models } from './models.js';
import { Outbox } from './outbox.js';
import { Projects } from './projects.js';

const webhook = { project: 'p', id: 'c1', name: 'Hook', kind: 'webhook', sealedConfig: 'x', enabled: true } as const;

/** describePort states what holds for projects, models and channels on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  describe('projects', () => {
    it('makes a project once and lists projects oldest first', async () => {
      const projects = new Projects(state());
      await projects.ensure('default', 1);
      await projects.ensure('b', 3);
      await projects.ensure('a', 2);
      await projects.ensure('default', 9);
      expect((await projects.list()).map(({ id, createdMs }) => [id, createdMs])).toEqual([
        ['default', 1],
        ['a', 2],
        ['b', 3],
      ]);
    });
  });

  describe('models', () => {
    it('gives a model back as it was registered, with the defaults of what was absent', async () => {
      const models = new Models(state());
      const model = await models.put(someModel({ id: 'größe/ö 😀' }), 5);
      expect(model).toEqual({
        ...someModel({ id: 'größe/ö 😀' }),
        ...{ resolveAfterMs: 300_000, repeatIntervalMs: 14_400_000, channelIds: null, driftAlerts: true },
        ...{ createdMs: 5, updatedMs: 5 },
      });
      expect(await models.get('p', 'größe/ö 😀')).toEqual(model);
    });

    it('overwrites the same id in its place, and keeps what the overwrite does not name', async () => {
      const models = new Models(state());
      await new Channels(state()).put(webhook, 1);
      await models.put(someModel({ id: 'z', channelIds: ['c1'], driftAlerts: false, resolveAfterMs: 7 }), 1);
      await models.put(someModel({ id: 'a' }), 2);
      const again = await models.put(someModel({ id: 'z', name: 'New' }), 3);
      expect(again).toMatchObject({ name: 'New', channelIds: ['c1'], driftAlerts: false, resolveAfterMs: 7 });
      expect(again).toMatchObject({ createdMs: 1, updatedMs: 3 });
      expect((await models.list('p')).map((model) => model.id)).toEqual(['z', 'a']);
      expect(await models.put(someModel({ id: 'z', channelIds: null }), 4)).toMatchObject({ channelIds: null });
    });

    it('puts a model that was removed and registered again at the end', async () => {
      const models = new Models(state());
      for (const id of ['a', 'b', 'c']) await models.put(someModel({ id }), 1);
      expect(await models.remove('p', 'a')).toBe(true);
      expect(await models.remove('p', 'a')).toBe(false);
      expect(await models.get('p', 'a')).toBeNull();
      await models.put(someModel({ id: 'a' }), 2);
      expect((await models.list('p')).map((model) => model.id)).toEqual(['b', 'c', 'a']);
    });

    it('keeps the same id in two projects apart', async () => {
      const models = new Models(state());
      await models.put(someModel({ project: 'p', name: 'ours' }), 1);
      await models.put(someModel({ project: 'q', name: 'theirs' }), 1);
      await models.remove('q', 'm');
      expect(await models.list('q')).toEqual([]);
      expect(await models.list('p')).toMatchObject([{ name: 'ours' }]);
    });

    it('keeps one model when two handles register it at once', async () => {
      const [one, two] = [new Models(state()), new Models(await another())];
      await Promise.all([one.put(someModel({ name: 'one' }), 1), two.put(someModel({ name: 'two' }), 1)]);
      expect(await one.list('p')).toHaveLength(1);
      expect(await two.list('p')).toEqual(await one.list('p'));
    });
  });

  describe('channels', () => {
    it('gives a channel back, with the reason while it is disabled', async () => {
      const channels = new Channels(state());
      const made = await channels.put(webhook, 5);
      expect(made).toEqual({ ...webhook, disabledReason: null, createdMs: 5, updatedMs: 5 });
      expect(await channels.disable('p', 'c1', { reason: 'gone', nowMs: 6 })).toBe(true);
      expect(await channels.disable('p', 'c1', { reason: 'gone', nowMs: 7 })).toBe(false);
      expect(await channels.get('p', 'c1')).toMatchObject({ enabled: false, disabledReason: 'gone', updatedMs: 6 });
      expect(await channels.put(webhook, 8)).toMatchObject({ enabled: true, disabledReason: null, createdMs: 5 });
    });

    it('shows no channel to another project', async () => {
      const channels = new Channels(state());
      await channels.put(webhook, 1);
      expect(await channels.get('q', 'c1')).toBeNull();
      expect(await channels.list('q')).toEqual([]);
      expect(await channels.disable('q', 'c1', { reason: 'x', nowMs: 2 })).toBe(false);
      expect(await channels.remove('q', 'c1', { nowMs: 2 })).toEqual({ outcome: 'refused', code: 'not_found' });
      expect(await channels.list('p')).toHaveLength(1);
    });

    it('ends the waiting deliveries of a removed channel as dead with the reason, and no others', async () => {
      const [channels, alerts, outbox] = [new Channels(state()), new Alerts(state()), new Outbox(state())];
      await channels.put(webhook, 1);
      const sending = committed(await alerts.commitTransition(aFiring(10)));
      await outbox.claimDue(10, 1);
      const fired = aFiring(20, { key: { modelId: 'other' }, channelIds: ['c1', 'c2'] });
      const waiting = committed(await alerts.commitTransition(fired));
      expect(await channels.remove('p', 'c1', { nowMs: 30 })).toEqual({
        ...{ outcome: 'removed', deadDeliveries: 1, models: [] },
      });
      expect(await channels.list('p')).toEqual([]);
      const ledger = await new Deliveries(state()).list({ project: 'p', limit: 10 });
      const fate = Object.fromEntries(ledger.map(({ id, status, lastError }) => [id, [status, lastError]]));
      expect(fate).toEqual({
        [sending.deliveryIds[0] ?? '']: ['sending', null],
        [waiting.deliveryIds[0] ?? '']: ['dead', 'the channel was removed'],
        [waiting.deliveryIds[1] ?? '']: ['pending', null],
      });
    });

    it('keeps no secret of a removed channel', async () => {
      const channels = new Channels(state());
      await channels.put({ ...webhook, sealedConfig: 'sealed-secret' }, 1);
      await channels.remove('p', 'c1', { nowMs: 2 });
      const rows = await state().db.selectFrom('channels').selectAll().execute();
      expect(rows).toMatchObject([{ id: 'c1', name: 'Hook', sealed_config: '', removed_ms: 2 }]);
    });

    it('keeps a channel that models notify, and says which do', async () => {
      const [channels, models] = [new Channels(state()), new Models(state())];
      for (const id of ['c1', 'c10']) await channels.put({ ...webhook, id }, 1);
      for (const project of ['p', 'q']) await channels.put({ ...webhook, project }, 1);
      await models.put(someModel({ id: 'other', channelIds: ['c10'] }), 1);
      await models.put(someModel({ id: 'all' }), 1);
      await models.put(someModel({ id: 'theirs', project: 'q', channelIds: ['c1'] }), 1);
      for (let i = 0; i < 12; i++) await models.put(someModel({ id: `m${i}`, channelIds: ['c10', 'c1'] }), 1);
      const modelIds = Array.from({ length: 10 }, (_, i) => `m${i}`);
      const refused = { outcome: 'refused', code: 'in_use', users: { total: 12, modelIds } };
      expect(await channels.remove('p', 'c1', { nowMs: 2 })).toEqual(refused);
      expect(await channels.get('p', 'c1')).toMatchObject({ enabled: true, sealedConfig: 'x', updatedMs: 1 });
      expect(await models.get('p', 'm0')).toMatchObject({ channelIds: ['c10', 'c1'], updatedMs: 1 });
    });

    it.each([
      [['c1'], null],
      [['c1', 'c1'], null],
      [['c1', 'c2'], ['c2']],
      [['c2', 'c1'], ['c2']],
      [
        ['c2', 'c1', 'c10'],
        ['c2', 'c10'],
      ],
    ])('takes a channel that goes by force out of the list %j, which leaves %j', async (before, after) => {
      const [channels, models] = [new Channels(state()), new Models(state())];
      for (const id of ['c1', 'c2', 'c10']) await channels.put({ ...webhook, id }, 1);
      await models.put(someModel({ id: 'none', channelIds: [] }), 1);
      await models.put(someModel({ channelIds: before }), 1);
      const done = await channels.remove('p', 'c1', { nowMs: 5, force: true });
      const changed = await models.get('p', 'm');
      expect(changed).toMatchObject({ channelIds: after, createdMs: 1, updatedMs: 5 });
      expect(done).toEqual({ outcome: 'removed', deadDeliveries: 0, models: [changed] });
      expect(await models.get('p', 'none')).toMatchObject({ channelIds: [], updatedMs: 1 });
    });

    it('registers no model with a channel that is not there', async () => {
      const [channels, models] = [new Channels(state()), new Models(state())];
      await channels.put(webhook, 1);
      await channels.put({ ...webhook, project: 'q', id: 'theirs' }, 1);
      for (const channelIds of [['c1', 'nobody'], ['theirs']]) {
        await expect(models.put(someModel({ channelIds }), 2)).rejects.toThrow(ChannelGoneError);
      }
      await channels.remove('p', 'c1', { nowMs: 3 });
      await expect(models.put(someModel({ channelIds: ['c1'] }), 4)).rejects.toThrow(ChannelGoneError);
      expect(await models.list('p')).toEqual([]);
    });

    it('never leaves a model with a removed channel when two handles register and remove at once', async () => {
      const [channels, models] = [new Channels(state()), new Models(await another())];
      for (let round = 0; round < 20; round++) {
        const id = `c${round}`;
        await channels.put({ ...webhook, id }, 1);
        const [kept, removal] = await Promise.allSettled([
          models.put(someModel({ id, channelIds: [id] }), 2),
          channels.remove('p', id, { nowMs: 2 }),
        ]);
        expect(removal).toMatchObject({ status: 'fulfilled' });
        const isRegistered = (await models.get('p', id)) !== null;
        expect([kept.status, (await channels.get('p', id)) !== null]).toEqual(
          isRegistered ? ['fulfilled', true] : ['rejected', false],
        );
      }
    });
  });
}
