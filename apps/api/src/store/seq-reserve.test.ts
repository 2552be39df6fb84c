import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultEpisode } from '@tidemark/program';
import { openSqliteState, type State, Writers } from '@tidemark/state';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RESERVED, SeqReserve } from './seq-reserve.js';

const SEQ_SPAN = 1_000_000; // what the low digits of a timestamp tell apart

describe('SeqReserve', () => {
  let folder: string;
  let state: State;
  const told: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void told.push(String(JSON.parse(line).msg)) });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-reserve-'));
    state = await openSqliteState(join(folder, 'state.db'));
    told.length = 0;
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });

  const episode = () => new FaultEpisode(log, { began: 'began', ended: 'ended' });
  const open = (leastSeq: number, slot = 0) =>
    SeqReserve.open({ book: new Writers(state), slot, leastSeq, reserving: episode() });

  it('begins at the clock, and after a crash beyond all that may have been given, whatever the clock did', async () => {
    const first = await open(5_000_000_000);
    expect(first.lastSeq).toBe(5_000_000_000);
    const afterCrash = await open(5_000_000_000 - 3_600_000_000);
    expect(afterCrash.lastSeq).toBe(first.lastSeq + RESERVED);
    expect((await open(9_000_000_000)).lastSeq).toBe(9_000_000_000);
    expect((await open(1, 1)).lastSeq).toBe(1);
  });

  it('reserves more before what it has is used up', async () => {
    const reserve = await open(0);
    await reserve.renew(1000);
    expect(await new Writers(state).reservedSeq(0)).toBe(RESERVED);
    const given = Math.floor(RESERVED * 0.75);
    await reserve.renew(given);
    expect(await new Writers(state).reservedSeq(0)).toBe(given + RESERVED);
    expect((await open(0)).lastSeq).toBeGreaterThan(given);
  });

  it('goes on while the book cannot be written, says so once, and makes up for it', async () => {
    const writers = new Writers(state);
    let isAway = false;
    const reserve = await SeqReserve.open({
      book: {
        reservedSeq: (slot) => writers.reservedSeq(slot),
        reserve: (slot, seq) => (isAway ? Promise.reject(new Error('away')) : writers.reserve(slot, seq)),
      },
      ...{ slot: 2, leastSeq: 0, reserving: episode() },
    });
    isAway = true;
    await reserve.renew(RESERVED - 2);
    await reserve.renew(RESERVED - 1);
    expect(told).toEqual(['began']);
    isAway = false;
    await reserve.renew(RESERVED);
    expect(await writers.reservedSeq(2)).toBe(2 * RESERVED);
    expect(told).toEqual(['began', 'ended']);
  });

  it('does not come near the low digits of an earlier life, over many crashes', () => {
    const distances = Array.from({ length: 100 }, (_, i) => ((i + 1) * RESERVED) % SEQ_SPAN);
    for (const distance of distances) expect(Math.min(distance, SEQ_SPAN - distance)).toBeGreaterThan(5000);
  });
});
