/** Lanes count what is under way for each channel, so that a slow one fills its own lane and no other. */
export class Lanes {
  private readonly counts = new Map<string, number>();

  /** Each lane is full from `width` on. A claim may overfill it by less than one more width. */
  constructor(readonly width: number) {}

  enter(channelId: string): void {
    this.counts.set(channelId, (this.counts.get(channelId) ?? 0) + 1);
  }

  leave(channelId: string): void {
    const count = (this.counts.get(channelId) ?? 0) - 1;
    if (count > 0) this.counts.set(channelId, count);
    else this.counts.delete(channelId);
  }

  /** full answers the channels of which nothing more is to be claimed. */
  full(): string[] {
    return [...this.counts].filter(([, count]) => count >= this.width).map(([channelId]) => channelId);
  }
}
