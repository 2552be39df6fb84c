import { DEFAULT_REPEAT_INTERVAL_S, DEFAULT_RESOLVE_AFTER_S, type Thresholds } from '@tidemark/types';
import type { Model, ModelInput, Models, Projects } from '@tidemark/state';
import { toWireThresholds } from './wire-thresholds.js';

/** AlertTiming says when an alert of a model resolves by itself and when it is repeated, in ms. */
export interface AlertTiming {
  readonly resolveAfterMs: number;
  readonly repeatIntervalMs: number;
}

const DEFAULT_TIMING: AlertTiming = {
  resolveAfterMs: DEFAULT_RESOLVE_AFTER_S * 1000,
  repeatIntervalMs: DEFAULT_REPEAT_INTERVAL_S * 1000,
};

interface Known {
  readonly model: Model;
  readonly thresholds: Thresholds;
}

/** ModelDirectory keeps every registered model in memory, so that evaluating a metric asks no database. */
export class ModelDirectory {
  private readonly known = new Map<string, Map<string, Known>>();

  constructor(
    private readonly models: Models,
    private readonly projects: Projects,
  ) {}

  /** load reads all models of all projects. */
  async load(): Promise<void> {
    for (const project of await this.projects.list()) {
      for (const model of await this.models.list(project.id)) this.learn(model);
    }
  }

  /** thresholdsOf finds a model's limits; null when nobody registered it. */
  readonly thresholdsOf = (project: string, modelId: string): Thresholds | null => {
    return this.known.get(project)?.get(modelId)?.thresholds ?? null;
  };

  /** get finds a registered model. */
  get(project: string, modelId: string): Model | null {
    return this.known.get(project)?.get(modelId)?.model ?? null;
  }

  /** list answers the models of a project in the order of their registration. */
  list(project: string): Model[] {
    return [...(this.known.get(project)?.values() ?? [])].map(({ model }) => model);
  }

  /** timingOf is when alerts of a model resolve and repeat; the defaults for a model that nobody registered. */
  timingOf(project: string, modelId: string): AlertTiming {
    return this.get(project, modelId) ?? DEFAULT_TIMING;
  }

  /** put registers a model durably and from then on evaluates by it. */
  async put(input: ModelInput, nowMs: number): Promise<Model> {
    await this.projects.ensure(input.project, nowMs);
    const model = await this.models.put(input, nowMs);
    this.learn(model);
    return model;
  }

  /** remove forgets a model; tells whether it was there. */
  async remove(project: string, modelId: string): Promise<boolean> {
    const removed = await this.models.remove(project, modelId);
    this.known.get(project)?.delete(modelId);
    return removed;
  }

  private learn(model: Model): void {
    const models = this.known.get(model.project) ?? new Map<string, Known>();
    models.set(model.id, { model, thresholds: toWireThresholds(model.thresholds) });
    this.known.set(model.project, models);
  }
}
