import type { ChannelKind } from '@tidemark/types';
import type { Selectable } from 'kysely';
import { type ChannelUsers, readUsers, takeOut, unused } from './channel-users.js';
import type { State } from './database.js';
import { literally } from './delivery.js';
import { type Model, toModel } from './models.js';
import { bump } from './revisions.js';
import type { ChannelsTable, ModelsTable } from './schema.js';

/** Channel is where notifications of a project go. */
export interface Channel {
  readonly project: string;
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  /** The configuration with its secrets, sealed by the caller: this package neither reads nor logs it. */
  readonly sealedConfig: string;
  readonly enabled: boolean;
  /** Why the channel was disabled, null while it is enabled. */
  readonly disabledReason: string | null;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** ChannelInput is a channel to keep; `id` is made by `newId`. */
export type ChannelInput = Pick<Channel, 'project' | 'id' | 'name' | 'kind' | 'sealedConfig' | 'enabled'>;

/**
 * ChannelRemoval tells how many waiting deliveries a removal ended as dead and which models it changed, or why nothing was
 * done: there is no such channel, or models notify it.
 */
export type ChannelRemoval =
  | { readonly outcome: 'removed'; readonly deadDeliveries: number; readonly models: readonly Model[] }
  | { readonly outcome: 'refused'; readonly code: 'not_found' }
  | { readonly outcome: 'refused'; readonly code: 'in_use'; readonly users: ChannelUsers };

/** RemovalOptions: with `force` a channel goes although models notify it, and out of their lists. */
export interface RemovalOptions {
  readonly nowMs: number;
  readonly force?: boolean;
}

/** Channels keeps the channels of every project. */
export class Channels {
  constructor(private readonly state: State) {}

  /** put makes the channel or replaces the one of the same id; enabling it again clears the reason. */
  async put(input: ChannelInput, nowMs: number): Promise<Channel> {
    const given = {
      name: input.name,
      kind: input.kind,
      sealed_config: input.sealedConfig,
      enabled: input.enabled ? 1 : 0,
      disabled_reason: input.enabled ? null : 'disabled by hand',
      updated_ms: nowMs,
      removed_ms: null,
    };
    const query = this.state.db
      .insertInto('channels')
      .values({ ...given, project: input.project, id: input.id, created_ms: nowMs })
      .onConflict((conflict) => conflict.columns(['project', 'id']).doUpdateSet(given));
    await this.state.write([{ query: query.compile() }, bump(this.state, 'channels')]);
    const channel = await this.get(input.project, input.id);
    if (!channel) throw new Error(`channel "${input.id}" was removed while it was being kept`);
    return channel;
  }

  /** get answers one channel, or null. */
  async get(project: string, id: string): Promise<Channel | null> {
    const row = await this.state.db
      .selectFrom('channels')
      .selectAll()
      .where('project', '=', project)
      .where('id', '=', id)
      .where('removed_ms', 'is', null)
      .executeTakeFirst();
    return row ? toChannel(row) : null;
  }

  /** list answers the channels of a project, oldest first. */
  async list(project: string): Promise<Channel[]> {
    const rows = await this.state.db
      .selectFrom('channels')
      .selectAll()
      .where('project', '=', project)
      .where('removed_ms', 'is', null)
      .orderBy('created_ms')
      .orderBy('id')
      .execute();
    return rows.map(toChannel);
  }

  /** disable stops a channel for `reason` (a receiver answered that it is gone) and tells whether it was enabled. */
  async disable(project: string, id: string, change: { reason: string; nowMs: number }): Promise<boolean> {
    const query = this.state.db
      .updateTable('channels')
      .set({ enabled: 0, disabled_reason: change.reason, updated_ms: change.nowMs })
      .where('project', '=', project)
      .where('id', '=', id)
      .where('enabled', '=', 1)
      .where('removed_ms', 'is', null);
    const done = await this.state.write([{ query: query.compile(), expect: 1 }, bump(this.state, 'channels')]);
    return done.outcome === 'committed';
  }

  /**
   * remove takes the channel away, with its secrets, and ends its waiting deliveries as dead with the reason, in one
   * transaction. One that is being sent at this moment ends by its own outcome. A channel that models notify stays, or by
   * `force` goes out of their lists in the same transaction: a model must not name what is not there and fall silent.
   */
  async remove(project: string, id: string, { nowMs, force = false }: RemovalOptions): Promise<ChannelRemoval> {
    const channel = this.state.db
      .updateTable('channels')
      .set({ sealed_config: '', enabled: 0, disabled_reason: 'removed', updated_ms: nowMs, removed_ms: nowMs })
      .where('project', '=', project)
      .where('id', '=', id)
      .where('removed_ms', 'is', null);
    const deliveries = this.state.db
      .updateTable('deliveries')
      .set({ status: 'dead', last_error: 'the channel was removed', updated_ms: nowMs })
      .where('project', '=', project)
      .where('channel_id', '=', id)
      .where('status', '=', literally('pending'));
    // The channel's row comes first: a registration that names it either has ended, and is seen, or finds it gone.
    const done = await this.state.write([
      { query: channel.compile(), expect: 1 },
      force ? { query: takeOut(this.state, { project, channelId: id, nowMs }) } : unused(this.state, project, id),
      { query: deliveries.compile() },
      bump(this.state, 'channels'),
      ...(force ? [bump(this.state, 'models')] : []),
    ]);
    if (done.outcome === 'unmet') {
      if (done.step === 0) return { outcome: 'refused', code: 'not_found' };
      return { outcome: 'refused', code: 'in_use', users: await readUsers(this.state, project, id) };
    }
    const [, models, dead] = done.results;
    // The statement returns whole rows of the models, or none.
    const changed = (models?.rows ?? []) as unknown as Selectable<ModelsTable>[];
    return { outcome: 'removed', deadDeliveries: dead?.changes ?? 0, models: changed.map(toModel) };
  }
}

function toChannel(row: Selectable<ChannelsTable>): Channel {
  return {
    project: row.project,
    id: row.id,
    name: row.name,
    kind: row.kind,
    sealedConfig: row.sealed_config,
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  };
}
