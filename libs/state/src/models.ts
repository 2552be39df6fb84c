import { DEFAULT_REPEAT_INTERVAL_S, DEFAULT_RESOLVE_AFTER_S, type Environment, type ModelType } from '@tidemark/types';
import { type Selectable, sql } from 'kysely';
import { held } from './channel-users.js';
import { type State, writeReturning } from './database.js';
import { bump } from './revisions.js';
import type { ModelsTable } from './schema.js';
import { readNumbers, readTexts } from './stored-json.js';

/** Thresholds are the limits of a model: latency in ms, the others shares from 0 to 1. A breach is strictly above. */
export interface Thresholds {
  readonly latency: number;
  readonly errorRate: number;
  readonly gpuMemory: number;
  readonly cpuUsage: number;
  readonly memoryUsage: number;
}

const THRESHOLD_NAMES = ['latency', 'errorRate', 'gpuMemory', 'cpuUsage', 'memoryUsage'] as const;

/** Model is a registered model. */
export interface Model {
  readonly project: string;
  readonly id: string;
  readonly name: string;
  readonly modelType: ModelType;
  readonly version: string;
  readonly environment: Environment;
  readonly thresholds: Thresholds;
  readonly resolveAfterMs: number;
  readonly repeatIntervalMs: number;
  /** Ids of the channels to notify; null means every enabled channel of the project. */
  readonly channelIds: readonly string[] | null;
  readonly driftAlerts: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
}

/** ModelInput is a model to register; what is absent takes its default, or on an overwrite stays as it was. */
export type ModelInput = Pick<
  Model,
  'project' | 'id' | 'name' | 'modelType' | 'version' | 'environment' | 'thresholds'
> &
  Partial<Pick<Model, 'resolveAfterMs' | 'repeatIntervalMs' | 'channelIds' | 'driftAlerts'>>;

/** ChannelGoneError says that a model names a channel that its project does not have, or no longer. */
export class ChannelGoneError extends Error {
  constructor(modelId: string) {
    super(`model "${modelId}" names a channel that is not there`);
  }
}

/** Models keeps the registered models. */
export class Models {
  constructor(private readonly state: State) {}

  /**
   * put registers the model, or overwrites the one of the same id, which keeps its place in the order. It throws
   * `ChannelGoneError` when a channel that it names is not there, also when that was removed at the same moment.
   */
  async put(input: ModelInput, nowMs: number): Promise<Model> {
    const given = columnsOf(input, nowMs);
    const query = this.state.db
      .insertInto('models')
      .values({
        resolve_after_ms: DEFAULT_RESOLVE_AFTER_S * 1000,
        repeat_interval_ms: DEFAULT_REPEAT_INTERVAL_S * 1000,
        channel_ids: null,
        drift_alerts: 1,
        ...given,
        project: input.project,
        id: input.id,
        position: sql<number>`(SELECT coalesce(max(position), 0) + 1 FROM models WHERE project = ${input.project})`,
        created_ms: nowMs,
      })
      .onConflict((conflict) => conflict.columns(['project', 'id']).doUpdateSet(given))
      // Read later it could be gone, or another's.
      .returningAll();
    const [row] = await writeReturning(this.state, query.compile(), {
      before: held(this.state, input.project, input.channelIds ?? []),
      besides: [bump(this.state, 'models')],
    });
    if (!row) throw new ChannelGoneError(input.id);
    return toModel(row);
  }

  /** get answers one model, or null. */
  async get(project: string, id: string): Promise<Model | null> {
    const row = await this.state.db
      .selectFrom('models')
      .selectAll()
      .where('project', '=', project)
      .where('id', '=', id)
      .executeTakeFirst();
    return row ? toModel(row) : null;
  }

  /** list answers the models of a project in the order of their registration. */
  async list(project: string): Promise<Model[]> {
    const rows = await this.state.db
      .selectFrom('models')
      .selectAll()
      .where('project', '=', project)
      .orderBy('position')
      .orderBy('id')
      .execute();
    return rows.map(toModel);
  }

  /** remove forgets the model and tells whether it was there; its alerts and their history stay. */
  async remove(project: string, id: string): Promise<boolean> {
    const query = this.state.db.deleteFrom('models').where('project', '=', project).where('id', '=', id);
    const done = await this.state.write([{ query: query.compile(), expect: 1 }, bump(this.state, 'models')]);
    return done.outcome === 'committed';
  }
}

function columnsOf(input: ModelInput, nowMs: number) {
  const { resolveAfterMs, repeatIntervalMs, channelIds, driftAlerts } = input;
  return {
    name: input.name,
    model_type: input.modelType,
    version: input.version,
    environment: input.environment,
    thresholds: JSON.stringify(input.thresholds),
    updated_ms: nowMs,
    ...(resolveAfterMs === undefined ? {} : { resolve_after_ms: resolveAfterMs }),
    ...(repeatIntervalMs === undefined ? {} : { repeat_interval_ms: repeatIntervalMs }),
    ...(channelIds === undefined ? {} : { channel_ids: channelIds && JSON.stringify(channelIds) }),
    ...(driftAlerts === undefined ? {} : { drift_alerts: driftAlerts ? 1 : 0 }),
  };
}

/** toModel reads a row of the models. */
export function toModel(row: Selectable<ModelsTable>): Model {
  return {
    project: row.project,
    id: row.id,
    name: row.name,
    modelType: row.model_type,
    version: row.version,
    environment: row.environment,
    thresholds: readNumbers(row.thresholds, THRESHOLD_NAMES),
    resolveAfterMs: row.resolve_after_ms,
    repeatIntervalMs: row.repeat_interval_ms,
    channelIds: row.channel_ids === null ? null : readTexts(row.channel_ids),
    driftAlerts: row.drift_alerts === 1,
    createdMs: row.created_ms,
    updatedMs: row.updated_ms,
  };
}
