import type { Channel, Channels, Projects } from '@tidemark/state';
import type { ChannelKind } from '@tidemark/types';

/** ChannelKinds remembers the kind of every channel it sees, for telemetry that may not wait for a database. */
export class ChannelKinds {
  private readonly kinds = new Map<string, ChannelKind>();

  constructor(private readonly channels: Channels) {}

  /** load sees the channels of all projects, and answers the kinds of those that are enabled. */
  async load(projects: Projects): Promise<ReadonlySet<ChannelKind>> {
    const enabled = new Set<ChannelKind>();
    for (const project of await projects.list()) {
      for (const channel of await this.list(project.id)) if (channel.enabled) enabled.add(channel.kind);
    }
    return enabled;
  }

  /** list reads the channels of a project. */
  async list(project: string): Promise<readonly Channel[]> {
    const channels = await this.channels.list(project);
    for (const channel of channels) this.kinds.set(channel.id, channel.kind);
    return channels;
  }

  /** get reads one channel: whoever looks a channel up through here can tell its kind, however new it is. */
  async get(project: string, id: string): Promise<Channel | null> {
    const channel = await this.channels.get(project, id);
    if (channel !== null) this.kinds.set(channel.id, channel.kind);
    return channel;
  }

  /** disable stops a channel whose receiver is gone. */
  disable(...change: Parameters<Channels['disable']>): ReturnType<Channels['disable']> {
    return this.channels.disable(...change);
  }

  /** kindOf is the kind of a channel seen before; `unknown` for any other. */
  kindOf(channelId: string): ChannelKind | 'unknown' {
    return this.kinds.get(channelId) ?? 'unknown';
  }
}
