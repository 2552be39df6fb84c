import type { LiveAnswer } from '@tidemark/types';
import type { WebSocket } from 'ws';
import type { Principal } from '../platform/principal.js';
import type { LiveGroup } from './live-group.js';
import type { LiveLimits } from './live-limits.js';

/** Socket is what a client needs of its WebSocket. */
export type Socket = Pick<WebSocket, 'bufferedAmount' | 'send' | 'ping' | 'close' | 'terminate'>;

const FRAME = Object.freeze({ binary: false, compress: false });

/** CLOSE are the codes that the feed closes clients with (RFC 6455, section 7.4.1, and IANA's registry). */
export const CLOSE = Object.freeze({ goingAway: 1001, policy: 1008, tryLater: 1013 });

/**
 * LiveClient is one connection: its place in the log of its project, and its socket. It has no queue of its own: what
 * it has not had yet is in the log, which is bounded, so a client that cannot keep up loses the oldest by itself.
 */
export class LiveClient {
  group: LiveGroup | null = null;
  /** Rises with every subscription, so that the answer to an earlier one can be told apart. */
  turn = 0;
  /** All up to this sequence number was sent. */
  cursor = 0;
  /** Of the items that matched the group, how many were sent or told as lost. */
  accounted = 0;
  /** Not before this time (steady ms) may a frame of deltas go out. */
  nextMs = 0;
  /** Points that the snapshot held, and until when (steady ms) they could still be published. */
  skip: ReadonlySet<number> | null = null;
  skipUntilMs = 0;

  private blocked = false;
  private blockedBytes = 0;
  private blockedMs = 0;
  private closing = false;
  private cutMs = 0;
  private heardMs: number;
  private pingedMs: number | null = null;
  private secondStartMs = 0;
  private messages = 0;

  constructor(
    private readonly socket: Socket,
    readonly principal: Principal,
    private readonly limits: LiveLimits,
    private readonly steadyMs: () => number,
  ) {
    this.heardMs = steadyMs();
  }

  /** isClosing tells whether nothing more can be said to the client. */
  get isClosing(): boolean {
    return this.closing;
  }

  /** isBlocked tells whether the client must first take what it was sent. */
  get isBlocked(): boolean {
    return this.blocked;
  }

  /** say sends one message at once. */
  say(answer: LiveAnswer): void {
    this.send([Buffer.from(JSON.stringify(answer))], null);
  }

  /** send hands frames to the socket. If that makes too much unsent, the client is blocked until all of it is gone and then `drained` is called. */
  send(frames: readonly Buffer[], drained: (() => void) | null): void {
    const last = frames.at(-1);
    if (!last || this.closing) return;
    const waiting = frames.reduce((sum, frame) => sum + frame.length, this.socket.bufferedAmount);
    for (const frame of frames.slice(0, -1)) this.socket.send(frame, FRAME);
    if (drained === null || waiting <= this.limits.softBytes) this.socket.send(last, FRAME);
    else this.socket.send(last, FRAME, (error) => this.unblock(error ? null : drained));
    const { bufferedAmount } = this.socket;
    if (bufferedAmount > this.limits.hardBytes) this.close(CLOSE.tryLater, 'too far behind');
    else if (drained && bufferedAmount > this.limits.softBytes) this.block(bufferedAmount);
  }

  /** close says good-bye; a client that does not go is cut off later, by `tick`. */
  close(code: number, reason: string): void {
    if (this.closing) return;
    this.closing = true;
    this.cutMs = this.steadyMs() + this.limits.closeGraceMs;
    this.socket.close(code, reason);
  }

  /** cut ends the connection without more words. */
  cut(): void {
    this.closing = true;
    this.socket.terminate();
  }

  /** heard takes note that the peer is there. */
  heard(): void {
    this.heardMs = this.steadyMs();
    this.pingedMs = null;
  }

  /** countMessage counts a message of the client and answers whether there were more in a second than allowed. */
  countMessage(perSecond: number): boolean {
    const nowMs = this.steadyMs();
    if (nowMs - this.secondStartMs >= 1000) {
      this.secondStartMs = nowMs;
      this.messages = 0;
    }
    this.messages++;
    return this.messages > perSecond;
  }

  /** tick ends a client that is stuck, dead or will not go; it pings a silent one if it may, and answers whether it did. */
  tick(nowMs: number, mayPing: boolean): boolean {
    if (this.closing) {
      if (nowMs >= this.cutMs) this.cut();
      return false;
    }
    if (this.blocked && this.isStalled(nowMs)) {
      this.close(CLOSE.tryLater, 'takes nothing');
      return false;
    }
    if (this.pingedMs !== null) {
      if (nowMs - this.pingedMs >= this.limits.heartbeatMs) this.cut();
      return false;
    }
    if (!mayPing || nowMs - this.heardMs < this.limits.heartbeatMs) return false;
    this.pingedMs = nowMs;
    this.socket.ping();
    return true;
  }

  private isStalled(nowMs: number): boolean {
    const { bufferedAmount } = this.socket;
    if (bufferedAmount < this.blockedBytes) {
      this.blockedBytes = bufferedAmount;
      this.blockedMs = nowMs;
    }
    return nowMs - this.blockedMs >= this.limits.stallMs;
  }

  private block(bytes: number): void {
    this.blocked = true;
    this.blockedBytes = bytes;
    this.blockedMs = this.steadyMs();
  }

  private unblock(drained: (() => void) | null): void {
    if (!this.blocked) return;
    this.blocked = false;
    drained?.();
  }
}
