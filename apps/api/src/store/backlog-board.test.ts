import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FaultEpisode } from '@tidemark/program';
import { Backlogs, openSqliteState, Revisions, type State } from '@tidemark/state';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { BacklogBoard, type BacklogBook } from './backlog-board.js';
import type { Backlog } from './spool/spooling-sink.js';

const DAY_MS = 24 * 3_600_000;

describe('BacklogBoard', () => {
  let folder: string;
  let state: State;
  let clock: ManualClock;
  const told: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-board-'));
    state = await openSqliteState(join(folder, 'state.db'));
    clock = new ManualClock();
    told.length = 0;
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });

  function boardOf(writer: string, own: () => Backlog, book: BacklogBook | null = new Backlogs(state)): BacklogBoard {
    const log = pino({ base: null }, { write: (line: string) => void told.push(String(JSON.parse(line).msg)) });
    const saying = new FaultEpisode(log, { began: 'began', ended: 'ended' });
    return new BacklogBoard({ writer, own, book, wallMs: clock.wallMs, keptMs: 7 * DAY_MS, saying });
  }

  const revision = async (): Promise<number | undefined> => (await new Revisions(state).read()).get('backlogs');

  it('adds up what waits here and elsewhere, also of an instance that has died, until it says that it has nothing', async () => {
    let there: Backlog = { points: 5, oldestMs: 2000 };
    let here: Backlog = { points: 0, oldestMs: 0 };
    const [other, board] = [boardOf('other', () => there), boardOf('here', () => here)];
    await other.say();
    await board.say();
    expect(board.pending()).toEqual({ points: 0, sinceMs: null });
    await board.reload();
    expect(board.pending()).toEqual({ points: 5, sinceMs: clock.wallMs() - 2000 });
    here = { points: 2, oldestMs: 9000 };
    expect(board.pending()).toEqual({ points: 7, sinceMs: clock.wallMs() - 9000 });
    await board.say();
    await board.reload();
    expect(board.pending().points).toBe(7);
    there = { points: 0, oldestMs: 0 };
    await boardOf('other', () => there).say(); // its next life, which has drained all
    await board.reload();
    expect(board.pending().points).toBe(2);
  });

  it('writes only what has changed, and nothing while nothing waits', async () => {
    let own: Backlog = { points: 0, oldestMs: 0 };
    const board = boardOf('here', () => own);
    await board.say();
    await board.say();
    expect(await revision()).toBe(0);
    own = { points: 3, oldestMs: 10 };
    await board.say();
    clock.pass(5000);
    own = { points: 3, oldestMs: 5010.4 };
    await board.say();
    expect(await revision()).toBe(1);
    own = { points: 3, oldestMs: 100 }; // as many, but others
    await board.say();
    expect(await revision()).toBe(2);
    own = { points: 0, oldestMs: 0 };
    await board.close();
    expect([await revision(), await new Backlogs(state).list()]).toEqual([3, []]);
  });

  it('does not wait for what nobody will have any more', async () => {
    await boardOf('gone', () => ({ points: 5, oldestMs: 0 })).say();
    const board = boardOf('here', () => ({ points: 0, oldestMs: 0 }));
    await board.reload();
    clock.pass(7 * DAY_MS - 1);
    expect(board.pending().points).toBe(5);
    clock.pass(1);
    expect(board.pending()).toEqual({ points: 0, sinceMs: null });
  });

  it('tells of a book that fails once, and says what waits when it works again', async () => {
    const backlogs = new Backlogs(state);
    let isAway = true;
    const book: BacklogBook = {
      put: (waiting) => (isAway ? Promise.reject(new Error('away')) : backlogs.put(waiting)),
      list: () => backlogs.list(),
    };
    let points = 5;
    const board = boardOf('here', () => ({ points, oldestMs: 0 }), book);
    await board.say();
    await board.say();
    expect(told).toEqual(['began']);
    isAway = false;
    await board.say();
    expect(await backlogs.list()).toMatchObject([{ writer: 'here', points: 5 }]);
    expect(told).toEqual(['began', 'ended']);
    [isAway, points] = [true, 6];
    await board.say();
    await board.say();
    expect(told).toEqual(['began', 'ended', 'began']);
  });

  it('says nothing where no other instance is', async () => {
    const alone = boardOf('alone', () => ({ points: 1, oldestMs: 0 }), null);
    alone.start();
    await alone.close();
    expect([alone.pending().points, await revision()]).toEqual([1, 0]);
  });
});
