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
    if (this.closed) return false;
    const lane = this.lanes.get(channelId) ?? { active: 0, waiting: [] };
    if (lane.active >= this.width && lane.waiting.length >= (this.places - this.inHand) / 2) return false;
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

  /** isEmpty tells whether nothing of the channel is under way: nobody will leave, so nobody may wait for that. */
  isEmpty(channelId: string): boolean {
    return !this.lanes.has(channelId);
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
