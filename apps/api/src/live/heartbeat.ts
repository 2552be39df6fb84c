import type { LiveClient } from './live-client.js';
import type { LiveLimits } from './live-limits.js';

/** Heartbeat looks at all clients with one timer, which only runs while there are clients. */
export class Heartbeat {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly clients: ReadonlySet<LiveClient>,
    private readonly limits: LiveLimits,
    private readonly steadyMs: () => number,
  ) {}

  /** start is called when a client came. */
  start(): void {
    this.timer ??= setInterval(() => this.beat(), this.limits.tickMs).unref();
  }

  /** stop ends the timer. */
  stop(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  /** Pings are spread over the beats, so that a crowd that connected together is not pinged in one go. */
  private beat(): void {
    if (this.clients.size === 0) return this.stop();
    const { tickMs, heartbeatMs } = this.limits;
    let pings = Math.ceil((this.clients.size * 2 * tickMs) / heartbeatMs);
    const nowMs = this.steadyMs();
    for (const client of this.clients) if (client.tick(nowMs, pings > 0)) pings--;
  }
}
