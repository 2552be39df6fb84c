import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun, createDatabase, type LocalServer, startPostgres } from '@tidemark/servers';
import { Leases, type State } from '@tidemark/state';
import { openPostgresState } from '@tidemark/state/postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { waitFor } from '../rig/wait-for.js';
import { WriterSlot } from './writer-slot.js';

const RENEW_EVERY_MS = 30_000;
const MINUTE_MS = 60_000;

describe.skipIf(!canRun('postgres'))('a WriterSlot in PostgreSQL', { timeout: 60_000 }, () => {
  let postgres: LocalServer;
  let databases = 0;
  let folder: string;
  let state: State;
  let clock: ManualClock;
  let asked = 0;
  let granted = 0;
  const lost: string[] = [];
  const faults: unknown[] = [];
  const slots: WriterSlot[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
  }, 60_000);
  afterAll(() => postgres.close());
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    folder = await mkdtemp(join(tmpdir(), 'tidemark-lost-slot-'));
    const url = await createDatabase(postgres, `slot${++databases}`);
    state = await openPostgresState({ url, onFault: () => undefined });
    clock = new ManualClock();
    asked = granted = lost.length = faults.length = 0;
  });
  afterEach(async () => {
    vi.useRealTimers();
    for (const slot of slots.splice(0)) slot.close();
    await state.close();
    await rm(folder, { recursive: true });
  });

  async function take(instance: string): Promise<WriterSlot> {
    const leases = new Leases(state);
    const counted: Pick<Leases, 'acquire'> = {
      acquire: async (request) => {
        try {
          const outcome = await leases.acquire(request);
          granted++;
          return outcome;
        } finally {
          asked++;
        }
      },
    };
    const slot = await WriterSlot.take({
      ...{ leases: counted, file: join(folder, `${instance}.json`), steadyMs: clock.steadyMs },
      onLost: (error) => lost.push(`${instance}: ${error.message}`),
      onFault: (error) => faults.push(error),
    });
    slots.push(slot);
    return slot;
  }

  /** Lets the time of one renewal pass, and waits until all who renew were answered. */
  async function renewal(renewers = 1): Promise<void> {
    const until = asked + renewers;
    clock.pass(RENEW_EVERY_MS);
    vi.advanceTimersByTime(RENEW_EVERY_MS);
    await waitFor('the renewal', () => asked >= until, 30_000);
  }

  const leftMs = async (): Promise<number> => {
    const { expires_ms } = await state.db.selectFrom('leases').select('expires_ms').executeTakeFirstOrThrow();
    return Number(expires_ms) - Date.now();
  };

  it('stays held while it is renewed', async () => {
    await take('a');
    await state.write([
      {
        query: state.db
          .updateTable('leases')
          .set({ expires_ms: Date.now() + 1000 })
          .compile(),
      },
    ]);
    await renewal();
    expect(await leftMs()).toBeGreaterThan(9 * MINUTE_MS);
    expect([lost, faults]).toEqual([[], []]);
  });

  it('is given up when its time ran out and another process took it', async () => {
    const first = await take('a');
    await state.write([{ query: state.db.updateTable('leases').set({ expires_ms: 0 }).compile() }]);
    const second = await take('b');
    expect(second.number).toBe(first.number);
    expect(second.holder).not.toBe(first.holder);
    await renewal(2);
    await waitFor('the loss', () => lost.length > 0);
    expect(lost).toEqual(['a: another process writes points under the number of this one']);
    await renewal(); // of the new holder alone
    expect(lost).toHaveLength(1);
    expect(faults).toEqual([]);
  });

  it('is given up before anybody can have it, when PostgreSQL stays away', async () => {
    await take('a');
    await renewal();
    await postgres.kill();
    for (let passedMs = 0; passedMs < 9 * MINUTE_MS; passedMs += RENEW_EVERY_MS) {
      expect(lost).toEqual([]);
      await renewal();
    }
    expect(lost).toEqual([]);
    await renewal();
    await waitFor('the loss', () => lost.length > 0);
    expect(lost).toEqual(['a: the number under which this process writes points could not be renewed for minutes']);
    expect(faults).toHaveLength(1);
    await postgres.start();
    expect(await leftMs()).toBeGreaterThan(0);
  });

  it('is kept when PostgreSQL comes back in time, and each time it goes is told once', async () => {
    await take('a');
    for (let outage = 1; outage <= 2; outage++) {
      await postgres.kill();
      for (let i = 0; i < 10; i++) await renewal();
      expect(faults).toHaveLength(outage);
      await postgres.start();
      // A connection of the life before may be found broken first.
      const before = granted;
      await waitFor('a renewal', async () => renewal().then(() => granted > before), 30_000);
    }
    for (let i = 0; i < 10; i++) await renewal();
    expect(lost).toEqual([]);
  });
});
