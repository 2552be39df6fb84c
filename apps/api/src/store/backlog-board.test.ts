import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Backlogs, openSqliteState, Revisions, type State } from '@tidemark/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../rig/manual-clock.js';
import { BacklogBoard } from './backlog-board.js';
import type { Backlog } from './spool/spooling-sink.js';

const DAY_MS = 24 * 3_600_000;

describe('BacklogBoard', () => {
  let folder: string;
  let state: State;
  let clock: ManualClock;
  const faults: unknown[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-board-'));
    state = await openSqliteState(join(folder, 'state.db'));
    clock = new ManualClock();
    faults.length = 0;
  });
  afterEach(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });

  function boardOf(writer: string, own: () => Backlog, isAlone = false): BacklogBoard {
    const book = isAlone ? null : new Backlogs(state);
    const onFault = (error: unknown): void => void faults.push(error);
    return new BacklogBoard({ writer, own, book, wallMs: clock.wallMs, keptMs: 7 * DAY_MS, onFault });
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
    const board = boardOf('here', () => ({ points: 5, oldestMs: 0 }));
    await state.close();
    await board.say();
    await board.say();
    expect(faults).toHaveLength(1);
    state = await openSqliteState(join(folder, 'state.db'));
    const alone = boardOf('alone', () => ({ points: 1, oldestMs: 0 }), true);
    alone.start();
    await alone.close();
    expect([alone.pending().points, await revision()]).toEqual([1, 0]);
  });
});
