import {
  type Channel as OpenChannel,
  type ChannelDeps,
  type ChannelLookup,
  openChannel,
  type Outcome,
  testNotification,
} from '@tidemark/delivery';
import { type Channel, type ChannelKind, type Channels, newId, type Random } from '@tidemark/state';
import type { ChannelVault } from './channel-vault.js';

/** ChannelDirectoryDeps are where channels are kept and what they are opened with. */
export interface ChannelDirectoryDeps {
  readonly channels: Channels;
  readonly vault: ChannelVault;
  readonly open: ChannelDeps;
  readonly random: Random;
}

interface Opened {
  readonly kind: ChannelKind;
  readonly updatedMs: number;
  readonly channel: OpenChannel;
}

const TEST_TIMEOUT_MS = 30_000;

/** ChannelDirectory opens channels on first use and again after a change; a channel is read from the state each time it is asked for. */
export class ChannelDirectory {
  private readonly opened = new Map<string, Opened>();

  constructor(private readonly deps: ChannelDirectoryDeps) {}

  /** find answers the open channel of a delivery, or why it has none. */
  async find(project: string, channelId: string): Promise<ChannelLookup> {
    const channel = await this.deps.channels.get(project, channelId);
    if (!channel) return { kind: 'reject', reason: 'the channel was removed' };
    if (!channel.enabled)
      return { kind: 'reject', reason: `the channel is disabled: ${channel.disabledReason ?? 'by hand'}` };
    return this.lookUp(channel);
  }

  /** test sends a test notification at once, past every limit, and answers what the receiver said. */
  async test(channel: Channel): Promise<Outcome> {
    const found = await this.lookUp(channel);
    if (found.kind !== 'open') return { kind: 'reject', reason: found.reason };
    const id = newId(this.deps.random);
    const notification = testNotification({
      project: channel.project,
      channelName: channel.name,
      id,
      nowMs: this.deps.open.now(),
    });
    return found.channel.send(notification, AbortSignal.timeout(TEST_TIMEOUT_MS));
  }

  /** kindOf is the kind of a channel that was opened before; `unknown` for any other. */
  kindOf(channelId: string): ChannelKind | 'unknown' {
    return this.opened.get(channelId)?.kind ?? 'unknown';
  }

  /** close closes every open channel. */
  async close(): Promise<void> {
    const all = [...this.opened.values()];
    this.opened.clear();
    await Promise.all(all.map(({ channel }) => channel.close()));
  }

  private async lookUp(channel: Channel): Promise<ChannelLookup> {
    const known = this.opened.get(channel.id);
    if (known?.updatedMs === channel.updatedMs) return { kind: 'open', channel: known.channel };
    const result = openChannel(this.deps.vault.open(channel), this.deps.open);
    if (!result.ok) return { kind: result.code === 'no_mail_server' ? 'retry' : 'reject', reason: result.reason };
    this.opened.set(channel.id, { kind: channel.kind, updatedMs: channel.updatedMs, channel: result.channel });
    await known?.channel.close();
    return { kind: 'open', channel: result.channel };
  }
}
