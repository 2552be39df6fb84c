import type { LiveClient } from './live-client.js';
import type { LiveGroup } from './live-group.js';
import type { LiveLimits } from './live-limits.js';
import { buildRound, type Round } from './live-round.js';

/** FanOutDeps are what the fan-out works with. */
export interface FanOutDeps {
  readonly limits: LiveLimits;
  readonly steadyMs: () => number;
  /** Told of items that a slow client lost. */
  readonly onDropped: (items: number) => void;
}

interface Flight {
  readonly group: LiveGroup;
  readonly members: Iterator<LiveClient>;
  /** All members are brought up to this sequence number, so that they share the next round whatever they shared in this. */
  readonly target: number;
  /** No item that matches lies between these two: members in between stand at the same place. */
  readonly settled: number;
  readonly fresh: number;
  readonly rounds: Round[];
  mostFrames: number;
}

const MAX_SHARED_ROUNDS = 8;
const CHECK_CLOCK_EVERY = 16;
const MIN_WAIT_MS = 5;

/**
 * FanOut brings groups up to date: at once when they were quiet, else as soon as their last frames are far enough back.
 * It works in slices between which the event loop turns, and rests after a run for at least as long as the run worked,
 * so that it never takes more than half of the process.
 */
export class FanOut {
  private readonly ready: LiveGroup[] = [];
  private readonly later = new Set<LiveGroup>();
  private flight: Flight | null = null;
  private immediate: NodeJS.Immediate | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;
  private runBusyMs = 0;
  private closed = false;

  constructor(private readonly deps: FanOutDeps) {}

  /** touch is told that a group has something new, or that a member of it can take more. */
  touch(group: LiveGroup): void {
    if (this.closed) return;
    if (group.place === 'underway') group.again = true;
    if (group.place !== 'idle' || group.members.size === 0) return;
    this.queue(group, this.deps.steadyMs());
  }

  /** close sends nothing more. */
  close(): void {
    this.closed = true;
    this.ready.length = 0;
    this.later.clear();
    this.flight = null;
    if (this.immediate) clearImmediate(this.immediate);
    if (this.timer) clearTimeout(this.timer);
  }

  private queue(group: LiveGroup, nowMs: number): void {
    if (group.nextMs <= nowMs) {
      group.place = 'ready';
      this.ready.push(group);
      this.immediate ??= setImmediate(() => this.slice());
    } else {
      group.place = 'later';
      this.later.add(group);
      this.wakeAt(group.nextMs, nowMs);
    }
  }

  private wakeAt(atMs: number, nowMs: number): void {
    if (this.timer && this.timerAtMs <= atMs) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = Math.max(atMs, nowMs + MIN_WAIT_MS);
    this.timer = setTimeout(() => this.wake(), Math.ceil(this.timerAtMs - nowMs));
    this.timer.unref();
  }

  private wake(): void {
    this.timer = null;
    const nowMs = this.deps.steadyMs();
    let nextMs = Infinity;
    for (const group of this.later) {
      if (group.nextMs > nowMs) nextMs = Math.min(nextMs, group.nextMs);
      else {
        this.later.delete(group);
        this.queue(group, nowMs);
      }
    }
    if (nextMs < Infinity) this.wakeAt(nextMs, nowMs);
  }

  private slice(): void {
    this.immediate = null;
    const startMs = this.deps.steadyMs();
    let steps = 0;
    for (;;) {
      this.flight ??= this.depart();
      if (!this.flight) break;
      const step = this.flight.members.next();
      if (step.done === true) this.arrive(this.flight, startMs);
      else this.bring(step.value, this.flight);
      if (++steps % CHECK_CLOCK_EVERY === 0 && this.deps.steadyMs() - startMs >= this.deps.limits.sliceMs) {
        this.runBusyMs += this.deps.steadyMs() - startMs;
        this.immediate = setImmediate(() => this.slice());
        return;
      }
    }
    this.runBusyMs = 0;
  }

  private depart(): Flight | null {
    const group = this.ready.shift();
    if (!group) return null;
    group.place = 'underway';
    group.again = false;
    const { settledSeq: settled, freshSeq } = group;
    group.settledSeq = group.newestSeq;
    group.freshSeq = null;
    const members = group.members.values();
    return { group, members, target: group.log.seq, settled, fresh: freshSeq ?? settled, rounds: [], mostFrames: 0 };
  }

  private arrive({ group, mostFrames }: Flight, sliceStartMs: number): void {
    this.flight = null;
    group.place = 'idle';
    const nowMs = this.deps.steadyMs();
    const busyMs = this.runBusyMs + nowMs - sliceStartMs;
    if (mostFrames > 0) group.nextMs = nowMs + Math.max(mostFrames * this.deps.limits.frameGapMs, busyMs);
    else if (group.again) group.nextMs = Math.max(group.nextMs, nowMs + MIN_WAIT_MS);
    if (group.again && group.members.size > 0) this.queue(group, nowMs);
  }

  /** bring sends a member what it has not had, as much as goes into one round. */
  private bring(client: LiveClient, flight: Flight): void {
    const { group, target } = flight;
    if (client.isClosing || client.isBlocked) return; // a blocked member touches the group when it is free
    if (client.cursor >= target || client.cursor >= group.newestSeq) return;
    const nowMs = this.deps.steadyMs();
    if (client.nextMs > nowMs) {
      group.again = true;
      return;
    }
    const round = this.roundFor(client, flight, nowMs);
    const lost = round.before - client.accounted;
    if (lost > 0) this.deps.onDropped(lost);
    const frames = lost > 0 ? [laggedFrame(lost), ...round.frames] : round.frames;
    client.accounted = round.after;
    client.cursor = round.upTo;
    client.nextMs = nowMs + frames.length * this.deps.limits.frameGapMs;
    flight.mostFrames = Math.max(flight.mostFrames, round.frames.length);
    if (round.upTo < target) group.again = true;
    client.send(frames, () => this.touch(group));
  }

  private roundFor(client: LiveClient, { group, target, settled, fresh, rounds }: Flight, nowMs: number): Round {
    if (client.skip && client.skipUntilMs < nowMs) client.skip = null;
    const { cursor, skip } = client;
    const from = cursor >= settled && cursor < fresh ? fresh : cursor;
    const shared = rounds.find((round) => round.from === from && round.skip === skip);
    if (shared) return shared;
    const { roundBytes: maxBytes } = this.deps.limits;
    const round = buildRound(group.log, group.subscription, { from, to: target, skip, total: group.total, maxBytes });
    rounds.push(round);
    if (rounds.length > MAX_SHARED_ROUNDS) rounds.shift();
    return round;
  }
}

function laggedFrame(dropped: number): Buffer {
  return Buffer.from(`{"type":"lagged","dropped":${dropped}}`);
}
