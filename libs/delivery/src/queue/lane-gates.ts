/**
 * LaneGates let each channel have so many deliveries under way, and some more wait for their turn. Who waits takes a
 * place of the worker, so a channel may fill half of the places that are free and no more: however many channels hang,
 * there is room for the next.
 */
export class LaneGates {
  private readonly lanes = new Map<string, { active: number; readonly waiting: ((mayPass: boolean) => void)[] }>();
  private inHand = 0;
  private closed = false;

  constructor(
    private readonly width: number,
    private readonly places: number,
  ) {}

  /** enter answers whether one may pass, now or when its turn comes; false when too many wait, or the gates close. */
  async enter(channelId: string): Promise<boolean> {
    if (this.room(channelId) < 1) return false;
    const lane = this.lanes.get(channelId) ?? { active: 0, waiting: [] };
    this.lanes.set(channelId, lane);
    this.inHand += 1;
    if (lane.active < this.width) {
      lane.active += 1;
      return true;
    }
    return new Promise<boolean>((resolve) => lane.waiting.push(resolve));
  }

  /** leave is told by everyone who passed; the next in line passes instead. */
  leave(channelId: string): void {
    const lane = this.lanes.get(channelId);
    if (!lane) return;
    this.inHand -= 1;
    const next = lane.waiting.shift();
    if (next) return next(true);
    lane.active -= 1;
    if (lane.active === 0) this.lanes.delete(channelId);
  }

  /**
   * room is how many more of a channel may enter now, to pass or to wait. Of an empty lane it is Infinity: nobody will
   * leave it, so nobody should wait for that.
   */
  room(channelId: string): number {
    if (this.closed) return 0;
    const lane = this.lanes.get(channelId);
    if (!lane) return Infinity;
    const toPass = this.width - lane.active;
    // Each who waits takes a free place, and a channel waits in no more than half of those.
    const toWait = Math.ceil((this.places - this.inHand - toPass - 2 * lane.waiting.length) / 3);
    return toPass + Math.max(0, toWait);
  }

  /** close turns everyone away who waits. */
  close(): void {
    this.closed = true;
    for (const { waiting } of this.lanes.values()) {
      this.inHand -= waiting.length;
      for (const turnAway of waiting.splice(0)) turnAway(false);
    }
  }
}
