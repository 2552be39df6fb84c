import type { LiveMessage } from './live-bus.js';
import { LiveGroup } from './live-group.js';
import { LiveLog } from './live-log.js';
import type { Subscription } from './subscription.js';

/** LiveProjectOptions bound what a project keeps. */
export interface LiveProjectOptions {
  readonly startSeq: number;
  readonly keepItems: number;
  readonly keepBytes: number;
  readonly lingerMs: number;
  readonly steadyMs: () => number;
  /** Told when the log begins to be kept; what it returns is called when it rests. */
  readonly follow: () => () => void;
}

/** LiveProject is one project's log and the groups that follow it; the rest of the feed never sees two projects at once. */
export class LiveProject {
  readonly log: LiveLog;
  private readonly groups = new Map<string, LiveGroup>();
  private readonly ofAllModels = new Set<LiveGroup>();
  private readonly ofModel = new Map<string, Set<LiveGroup>>();
  /** When the last group went, steady ms; null while there is one, or when the log rests. */
  private abandonedMs: number | null = null;
  /** Set as long as the log is kept. */
  private unfollow: (() => void) | null = null;

  constructor(
    readonly name: string,
    private readonly options: LiveProjectOptions,
  ) {
    this.log = new LiveLog(options.startSeq, options);
  }

  /** publish numbers and keeps the items of a message and calls `touched` for each group that follows some of them. */
  publish(message: LiveMessage, touched: (group: LiveGroup) => void): void {
    if (this.abandonedMs !== null && this.options.steadyMs() - this.abandonedMs > this.options.lingerMs) {
      this.abandonedMs = null;
      this.log.rest();
      this.unfollow?.();
      this.unfollow = null;
    }
    const before = this.log.seq;
    this.log.append(message);
    if (this.groups.size === 0) return;
    const { seq } = this.log;
    for (const group of this.ofAllModels) {
      if (!group.follows(message.kind)) continue;
      group.count(message.items.length, before, seq);
      touched(group);
    }
    if (this.ofModel.size === 0) return;
    for (const [model, count] of tally(message)) {
      for (const group of this.ofModel.get(model) ?? []) {
        if (!group.follows(message.kind)) continue;
        group.count(count, before, seq);
        touched(group);
      }
    }
  }

  /** hold finds or makes the group of a subscription; it counts from now on, until it is released as often as held. */
  hold(subscription: Subscription): LiveGroup {
    let group = this.groups.get(subscription.key);
    if (!group) {
      group = new LiveGroup(this.name, this.log, subscription);
      this.groups.set(subscription.key, group);
      if (!subscription.models) this.ofAllModels.add(group);
      else for (const model of subscription.models) this.index(model, group);
      this.abandonedMs = null;
      this.unfollow ??= this.options.follow();
      this.log.record();
    }
    group.holders++;
    return group;
  }

  /** release lets a group go that was held; the last to do so ends it. */
  release(group: LiveGroup): void {
    group.holders--;
    if (group.holders > 0) return;
    const { key, models } = group.subscription;
    this.groups.delete(key);
    this.ofAllModels.delete(group);
    for (const model of models ?? []) {
      const followers = this.ofModel.get(model);
      followers?.delete(group);
      if (followers?.size === 0) this.ofModel.delete(model);
    }
    if (this.groups.size === 0) this.abandonedMs = this.options.steadyMs();
  }

  private index(model: string, group: LiveGroup): void {
    const followers = this.ofModel.get(model);
    if (followers) followers.add(group);
    else this.ofModel.set(model, new Set([group]));
  }
}

/** tally counts the items of a message by model; neighbours are mostly of the same. */
function tally(message: LiveMessage): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (model: string) => counts.set(model, (counts.get(model) ?? 0) + 1);
  switch (message.kind) {
    case 'inference':
      for (const { series } of message.items) add(series.modelId);
      break;
    case 'drift':
      for (const { modelId } of message.items) add(modelId);
      break;
    case 'alert':
      for (const { model_id } of message.items) add(model_id);
      break;
  }
  return counts;
}
