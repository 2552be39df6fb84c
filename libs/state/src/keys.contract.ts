import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type MakeEngine, useState } from './engine.contract.js';
import { Keys } from './keys.js';

const input = { project: 'p', name: 'ci', scopes: ['read', 'write'], nowMs: 1, random: randomBytes } as const;

/** describePort states what holds for API keys on every engine. */
export function describePort(makeEngine: MakeEngine): void {
  const { state, another } = useState(makeEngine);

  describe('keys', () => {
    it('knows the holder of a key it made, and nobody else', async () => {
      const keys = new Keys(state());
      expect(await keys.everCreated()).toBe(false);
      const { key, text } = await keys.create(input);
      expect(text).toMatch(new RegExp(`^tm_${key.id}_[A-Za-z0-9_-]{43}$`));
      expect(await keys.verify(text, 2)).toEqual({ project: 'p', keyId: key.id, scopes: ['read', 'write'] });
      const other = (await keys.create(input)).text;
      const swapped = text.slice(0, 20) + other.slice(20);
      const wrong = [swapped, text.slice(0, -1), `${text}A`, ` ${text}`, text.toUpperCase(), '', 'tm__', '__proto__'];
      for (const presented of wrong) expect(await keys.verify(presented, 2), presented).toBeNull();
      expect(await keys.everCreated()).toBe(true);
    });

    it('keeps no secret: only its hash is stored, and no answer repeats it', async () => {
      const keys = new Keys(state());
      const { key, text } = await keys.create(input);
      const secret = text.slice(20);
      const stored = await state().db.selectFrom('api_keys').selectAll().execute();
      expect(JSON.stringify([stored, key, await keys.list('p')])).not.toContain(secret);
    });

    it('refuses a revoked key at once here, and within 5 s at another handle', async () => {
      const [here, there] = [new Keys(state()), new Keys(await another())];
      const { key, text } = await here.create(input);
      expect(await there.verify(text, 1_000)).not.toBeNull();
      expect(await here.verify(text, 1_000)).not.toBeNull();
      expect(await here.revoke('q', key.id, 1_500)).toBe(false);
      expect(await here.revoke('p', key.id, 2_000)).toBe(true);
      expect(await here.revoke('p', key.id, 2_000)).toBe(false);
      expect(await here.verify(text, 2_000)).toBeNull();
      expect(await there.verify(text, 6_001)).toBeNull();
      expect(await here.list('p')).toEqual([]);
      expect(await here.get('p', key.id)).toMatchObject({ revokedMs: 2_000 });
    });

    it('does not live on an old list when the wall clock was set back', async () => {
      const [here, there] = [new Keys(state()), new Keys(await another())];
      const { key, text } = await here.create(input);
      expect(await there.verify(text, 10_000_000)).not.toBeNull();
      await here.revoke('p', key.id, 10_000_000);
      expect(await there.verify(text, 6_000_000)).toBeNull();
    });

    it('lists the keys of a project, with their last use once it was flushed', async () => {
      const keys = new Keys(state());
      const { key, text } = await keys.create(input);
      await keys.create({ ...input, project: 'q' });
      await keys.verify(text, 77);
      expect(await keys.list('p')).toEqual([key]);
      await keys.flushLastUsed();
      await keys.flushLastUsed();
      expect(await keys.list('p')).toEqual([{ ...key, lastUsedMs: 77 }]);
      expect(await keys.get('q', key.id)).toBeNull();
    });

    it('keeps the latest use of a key, whichever process writes it', async () => {
      const [here, there] = [new Keys(state()), new Keys(await another())];
      const { key, text } = await here.create(input);
      await here.verify(text, 70);
      await there.verify(text, 90);
      await there.flushLastUsed();
      await here.flushLastUsed();
      expect(await here.get('p', key.id)).toMatchObject({ lastUsedMs: 90 });
    });

    it('writes a use that comes while an earlier one is being written the next time', async () => {
      const keys = new Keys(state());
      const { key, text } = await keys.create(input);
      await keys.verify(text, 70);
      const writing = keys.flushLastUsed();
      await keys.verify(text, 80);
      await writing;
      await keys.flushLastUsed();
      expect(await keys.get('p', key.id)).toMatchObject({ lastUsedMs: 80 });
    });
  });
}
