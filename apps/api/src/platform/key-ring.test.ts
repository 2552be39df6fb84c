import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Keys, openSqliteState, Projects, type State } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { StoredKeys } from './key-ring.js';

let folder: string;
let state: State;
let keys: Keys;
const clock = new ManualClock();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-keys-'));
  state = await openSqliteState(join(folder, 'state.db'));
  await new Projects(state).ensure('p', clock.wallMs());
  keys = new Keys(state);
});
afterEach(async () => {
  await state.close();
  await rm(folder, { recursive: true });
});

const make = (by = keys) =>
  by.create({ project: 'p', name: 'n', scopes: ['read'], nowMs: clock.wallMs(), random: randomBytes });

describe('StoredKeys', () => {
  it('is empty until the first key, which it knows of at once', async () => {
    const ring = await StoredKeys.open(keys, clock);
    expect(await ring.isEmpty()).toBe(true);
    const { key, text } = await make();
    ring.created();
    expect(await ring.isEmpty()).toBe(false);
    expect(await ring.verify(text)).toEqual({ project: 'p', scopes: ['read'], keyId: key.id });
    expect(await ring.verify(`${text.slice(0, -1)}_`)).toBeNull();
    expect(await ring.verify('nonsense')).toBeNull();
  });

  it('is not empty when a key was made in an earlier life, even a revoked one', async () => {
    const { key, text } = await make();
    await keys.revoke('p', key.id, clock.wallMs());
    const ring = await StoredKeys.open(keys, clock);
    expect(await ring.isEmpty()).toBe(false);
    expect(await ring.verify(text)).toBeNull();
  });

  it('learns within two seconds of a key that another process made', async () => {
    const ring = await StoredKeys.open(keys, clock);
    const elsewhere = await openSqliteState(join(folder, 'state.db'));
    const { text } = await make(new Keys(elsewhere));
    await elsewhere.close();
    clock.pass(2000);
    expect(await ring.isEmpty()).toBe(false);
    expect(await ring.verify(text)).not.toBeNull();
  });

  it('does not forget a key that is made while it looks', async () => {
    const ring = await StoredKeys.open(keys, clock);
    clock.pass(2000);
    const looking = ring.isEmpty();
    ring.created();
    expect(await looking).toBe(false);
    expect(await ring.isEmpty()).toBe(false);
  });

  it('looks once for any number of requests at the same time', async () => {
    const ring = await StoredKeys.open(keys, clock);
    clock.pass(2000);
    const [first, second] = [ring.isEmpty(), ring.isEmpty()];
    expect(second).toBe(first);
    expect(await first).toBe(true);
    expect(ring.isEmpty()).toBe(true);
  });
});
