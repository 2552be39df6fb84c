import { type ChannelConfig, seal, unseal } from '@tidemark/delivery';
import type { Channel } from '@tidemark/state';

/** ChannelVault seals the configuration of channels for rest and opens it for sending. */
export class ChannelVault {
  constructor(
    private readonly key: Uint8Array,
    private readonly random: (bytes: number) => Uint8Array,
  ) {}

  /** seal writes a configuration so that only this installation, for this channel, can read it. */
  seal(channelId: string, config: ChannelConfig): string {
    return seal(JSON.stringify(config), channelId, this.key, this.random);
  }

  /** open reads a channel's configuration back; it throws when the key is not the one that sealed it. */
  open(channel: Pick<Channel, 'id' | 'sealedConfig'>): ChannelConfig {
    const opened = unseal(channel.sealedConfig, channel.id, this.key);
    if (!opened.ok) throw new Error(`the configuration of channel ${channel.id} cannot be opened: ${opened.reason}`);
    return JSON.parse(opened.text) as ChannelConfig; // sealed text is our own writing: it was checked before
  }
}

/** targetOf says where a channel goes without its secrets: the recipients, or scheme and host. */
export function targetOf(config: ChannelConfig): string {
  return config.kind === 'email' ? config.to.join(', ') : new URL(config.url).origin;
}
