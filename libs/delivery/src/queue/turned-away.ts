/**
 * TurnedAway remembers which deliveries found the lane of their channel full, so that they are told of again when there
 * is room, and not only when everything that is unsettled is told of again.
 */
export class TurnedAway {
  private readonly lanes = new Map<string, string[]>();

  add(channelId: string, id: string): void {
    const lane = this.lanes.get(channelId);
    if (lane) lane.push(id);
    else this.lanes.set(channelId, [id]);
  }

  /** take removes and answers, first turned away first, one delivery of the channel, or all of them when its lane is empty. */
  take(channelId: string, isEmpty: boolean): readonly string[] {
    const lane = this.lanes.get(channelId);
    if (!lane) return [];
    const taken = lane.splice(0, isEmpty ? lane.length : 1);
    if (lane.length === 0) this.lanes.delete(channelId);
    return taken;
  }
}
