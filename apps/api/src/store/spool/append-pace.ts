import { within } from './within.js';

/** So many bytes are drained for each that is appended: what waits becomes less, and a load has most of what the server can take. */
const DRAINED_PER_APPENDED = 1.25;

/** AppendPace has those who append to a spool wait for those who drain it: to acknowledge from a disk is the faster of the two. */
export class AppendPace {
  private drainedBytes = 0;
  /** What must be drained before the last of those who asked goes on. */
  private dueBytes = 0;
  private readonly waiting = new Map<() => void, number>();

  /** `creditBytes` is how much of what was drained while nobody waited counts for those who come. */
  constructor(private readonly creditBytes: number) {}

  /**
   * wait resolves when enough was drained for so many bytes to be appended behind those of earlier calls, at the latest
   * when the time is over or the signal aborts; what one waited for in vain is not owed by those who come later. It
   * answers whether anything was drained meanwhile, or nothing needed to be.
   */
  async wait(bytes: number, ms: number, signal: AbortSignal): Promise<boolean> {
    const beganBytes = this.drainedBytes;
    this.dueBytes = Math.max(this.dueBytes, beganBytes - this.creditBytes) + DRAINED_PER_APPENDED * bytes;
    if (this.dueBytes <= beganBytes) return true;
    let go = (): void => undefined;
    const drained = new Promise<void>((resolve) => (go = resolve));
    this.waiting.set(go, this.dueBytes);
    await within(drained, ms, signal);
    if (this.waiting.delete(go)) this.dueBytes = Math.max(this.drainedBytes, ...this.waiting.values());
    return this.drainedBytes > beganBytes;
  }

  /** drained lets those go on for whom that is enough. */
  drained(bytes: number): void {
    this.drainedBytes += bytes;
    for (const [go, dueBytes] of this.waiting) if (dueBytes <= this.drainedBytes) this.letGo(go);
  }

  /** letAllGo has nobody wait any more, and forgets what is owed and earned. */
  letAllGo(): void {
    for (const go of this.waiting.keys()) this.letGo(go);
    this.dueBytes = this.drainedBytes;
  }

  private letGo(go: () => void): void {
    this.waiting.delete(go);
    go();
  }
}
