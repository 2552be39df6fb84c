import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Channels } from './channels.js';
import { type MakeEngine, someModel, useState } from './engine.contract.js';
import { Keys } from './keys.js';
import { Models } from './models.js';
import { Projects } from './projects.js';
import { Revisions } from './revisions.js';

/** describePort states what holds for revisions on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  /** Answers the topics whose number rose while `change` was made, as another handle sees them. */
  async function changedBy(change: () => Promise<unknown>): Promise<string[]> {
    const revisions = new Revisions(await another());
    const before = await revisions.read();
    await change();
    return [...(await revisions.read())]
      .filter(([topic, now]) => now > (before.get(topic) ?? NaN))
      .map(([topic]) => topic);
  }

  it('rise with every change of their topic, and with nothing else', async () => {
    const [projects, models, keys] = [new Projects(state()), new Models(state()), new Keys(state())];
    const channels = new Channels(state());
    const channel = { project: 'p', id: 'c', name: 'C', kind: 'slack', sealedConfig: 'x', enabled: true } as const;
    expect(await changedBy(() => projects.ensure('p', 1))).toEqual(['projects']);
    expect(await changedBy(() => projects.ensure('p', 2))).toEqual([]);
    expect(await changedBy(() => models.put(someModel(), 1))).toEqual(['models']);
    expect(await changedBy(() => models.remove('p', 'nobody'))).toEqual([]);
    expect(await changedBy(() => models.remove('p', 'm'))).toEqual(['models']);
    expect(await changedBy(() => channels.put(channel, 1))).toEqual(['channels']);
    expect(await changedBy(() => channels.disable('p', 'c', { reason: 'gone', nowMs: 2 }))).toEqual(['channels']);
    expect(await changedBy(() => channels.remove('p', 'c', { nowMs: 3 }))).toEqual(['channels']);
    const input = { project: 'p', name: 'k', scopes: ['read'], nowMs: 1, random: randomBytes } as const;
    const { key, text } = await keys.create(input);
    expect(await changedBy(() => keys.create(input))).toEqual(['keys']);
    await keys.verify(text, 2);
    expect(await changedBy(() => keys.flushLastUsed())).toEqual([]);
    expect(await changedBy(() => keys.revoke('p', key.id, 3))).toEqual(['keys']);
    expect(await changedBy(() => keys.revoke('p', key.id, 3))).toEqual([]);
  });

  it('miss no change of many at once', async () => {
    const handles = [new Models(state()), new Models(await another())];
    const before = (await new Revisions(state()).read()).get('models') ?? NaN;
    await Promise.all(Array.from({ length: 20 }, (_, i) => handles[i % 2]?.put(someModel({ id: `m${i}` }), i)));
    expect((await new Revisions(state()).read()).get('models')).toBe(before + 20);
  });

  describe('keys that another handle made', () => {
    it('open the door at once', async () => {
      const [here, there] = [new Keys(state()), new Keys(await another())];
      const input = { project: 'p', name: 'k', scopes: ['read'], nowMs: 1, random: randomBytes } as const;
      const first = await here.create(input);
      expect(await there.verify(first.text, 1)).not.toBeNull();
      const second = await here.create(input);
      const asked = Array.from({ length: 5 }, () => there.verify(second.text, 2));
      for (const identity of await Promise.all(asked)) expect(identity).toMatchObject({ keyId: second.key.id });
      const wrong = second.text.slice(0, -4) + (second.text.endsWith('AAAA') ? 'BBBB' : 'AAAA');
      expect(await there.verify(wrong, 2)).toBeNull();
    });

    it('close it as soon as the keys are read again', async () => {
      const [here, there] = [new Keys(state()), new Keys(await another())];
      const { key, text } = await here.create({
        project: 'p',
        name: 'k',
        scopes: ['read'],
        nowMs: 1,
        random: randomBytes,
      });
      expect(await there.verify(text, 1)).not.toBeNull();
      await here.revoke('p', key.id, 2);
      const valid = await there.reload(2);
      expect(valid.has(key.id)).toBe(false);
      expect(await there.verify(text, 2)).toBeNull();
    });
  });
}
