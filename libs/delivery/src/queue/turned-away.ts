/** As many of a channel as a worker is told of at once. What is beyond that is told of again with all that is unsettled. */
const MOST = 200;

/**
 * TurnedAway remembers which deliveries found the lane of their channel full, so that they are told of again when there
 * is room, and not only when everything that is unsettled is told of again.
 */
export class TurnedAway {
  private readonly lanes = new Map<string, Set<string>>();

  /** add remembers a delivery of a channel; one that is known keeps its place. */
  add(channelId: string, id: string): void {
    const lane = this.lanes.get(channelId) ?? new Set();
    this.lanes.set(channelId, lane);
    if (lane.size < MOST) lane.add(id);
  }

  /** take removes and answers up to `atMost` deliveries of a channel, first turned away first. */
  take(channelId: string, atMost: number): readonly string[] {
    const lane = this.lanes.get(channelId);
    if (!lane) return [];
    const taken = [...lane].slice(0, atMost);
    for (const id of taken) lane.delete(id);
    if (lane.size === 0) this.lanes.delete(channelId);
    return taken;
  }
}
