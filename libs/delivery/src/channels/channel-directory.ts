import type { Channels } from '@tidemark/state';
import type { ChannelLookup } from '../deliver.js';
import { unseal } from '../secrets/seal.js';
import type { Channel } from './channel.js';
import { parseChannelConfig } from './channel-config.js';
import { type ChannelDeps, openChannel, type OpenChannelResult } from './open-channel.js';

/** SealedChannel is a channel as the state keeps it, as far as opening it goes. */
export interface SealedChannel {
  readonly project: string;
  readonly id: string;
  readonly sealedConfig: string;
}

/** ChannelDirectoryOptions are where channels are kept and what opens them. */
export interface ChannelDirectoryOptions {
  readonly channels: Pick<Channels, 'get' | 'disable'>;
  /** Opens the sealed configurations; the context is the id of the channel. */
  readonly key: Uint8Array;
  readonly deps: ChannelDeps;
  /** Channels kept open, default 500; past it the one that was used longest ago is closed. */
  readonly maxOpen?: number;
}

interface OpenChannel {
  readonly sealedConfig: string;
  readonly channel: Channel;
}

/** ChannelDirectory finds the channel of a delivery, as it is configured now, and keeps channels open between deliveries. */
export class ChannelDirectory {
  private readonly open = new Map<string, OpenChannel>();

  constructor(private readonly options: ChannelDirectoryOptions) {}

  /** find looks a channel up. What a person can mend without touching the channel (key, mail server) is worth a retry. */
  async find(project: string, id: string): Promise<ChannelLookup> {
    const kept = await this.options.channels.get(project, id);
    if (kept === null) return { kind: 'reject', reason: 'the channel was removed' };
    if (!kept.enabled)
      return { kind: 'reject', reason: `the channel is disabled: ${kept.disabledReason ?? 'no reason given'}` };
    const opened = this.openSealed(kept);
    return opened.ok ? { kind: 'open', channel: opened.channel } : { kind: 'retry', reason: opened.reason };
  }

  /** openSealed opens a channel whether it is enabled or not, as for a test of it. The directory closes it. */
  openSealed({ project, id, sealedConfig }: SealedChannel): OpenChannelResult {
    const name = JSON.stringify([project, id]);
    const known = this.open.get(name);
    this.open.delete(name);
    if (known?.sealedConfig === sealedConfig) {
      this.open.set(name, known);
      return { ok: true, channel: known.channel };
    }
    if (known !== undefined) void known.channel.close();
    const opened = this.unsealed(id, sealedConfig);
    if (opened.ok) {
      this.open.set(name, { sealedConfig, channel: opened.channel });
      this.closeSurplus();
    }
    return opened;
  }

  /** disable stops a channel whose receiver is gone. */
  async disable(
    project: string,
    id: string,
    change: { readonly reason: string; readonly nowMs: number },
  ): Promise<void> {
    await this.options.channels.disable(project, id, change);
  }

  /** close closes every open channel. */
  async close(): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    await Promise.all(all.map(({ channel }) => channel.close()));
  }

  private unsealed(id: string, sealedConfig: string): OpenChannelResult {
    const opened = unseal(sealedConfig, id, this.options.key);
    if (!opened.ok)
      return { ok: false, code: 'bad_config', reason: `the channel's secrets cannot be read: ${opened.reason}` };
    // What was sealed was checked; checked again because an older version may have sealed it.
    const parsed = parseChannelConfig(JSON.parse(opened.text));
    if (parsed.ok) return openChannel(parsed.config, this.options.deps);
    const fields = parsed.faults.map(({ pointer, message }) => `${pointer} ${message}`).join('; ');
    return { ok: false, code: 'bad_config', reason: `the channel's configuration is not usable: ${fields}` };
  }

  private closeSurplus(): void {
    for (const [name, { channel }] of this.open) {
      if (this.open.size <= (this.options.maxOpen ?? 500)) return;
      this.open.delete(name);
      void channel.close();
    }
  }
}
