import { DEFAULT_REPEAT_INTERVAL_S, DEFAULT_RESOLVE_AFTER_S, type Thresholds } from '@tidemark/types';
import type { ChannelRemoval, Model, ModelInput, Models, Projects } from '@tidemark/state';
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

/** How often models are read again because one was changed here meanwhile. */
const MAX_READS = 5;

/**
 * ModelDirectory keeps every registered model in memory, so that evaluating a metric asks no database. What this
 * instance changes counts at once, what another changes from the next `load` on; `stored` and `storedOne` ask the database.
 */
export class ModelDirectory {
  private known = new Map<string, Map<string, Known>>();
  /** Changes made here, and how many of them are under way. */
  private changes = 0;
  private changing = 0;

  constructor(
    private readonly models: Models,
    private readonly projects: Projects,
  ) {}

  /**
   * load reads all models of all projects, at start and after a change elsewhere. A change that is made here meanwhile may
   * or may not be in what was read: then it is read again, and in the end left to the next load.
   */
  async load(): Promise<void> {
    for (let reads = 1; ; reads++) {
      const before = this.changes;
      const isQuiet = this.changing === 0;
      const known = new Map<string, Map<string, Known>>();
      for (const project of await this.projects.list()) {
        for (const model of await this.models.list(project.id)) learn(known, model);
      }
      if (isQuiet && this.changing === 0 && this.changes === before) {
        this.known = known;
        return;
      }
      if (reads >= MAX_READS) throw new Error('models kept being changed here while they were read');
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

  /** stored lists the models of a project in the order of their registration, other instances' newest ones included. */
  stored(project: string): Promise<Model[]> {
    return this.models.list(project);
  }

  /** storedOne is a model as the last of all instances left it, or null. */
  storedOne(project: string, modelId: string): Promise<Model | null> {
    return this.models.get(project, modelId);
  }

  /** timingOf is when alerts of a model resolve and repeat; the defaults for a model that nobody registered. */
  timingOf(project: string, modelId: string): AlertTiming {
    return this.get(project, modelId) ?? DEFAULT_TIMING;
  }

  /** put registers a model durably and from then on evaluates by it. */
  async put(input: ModelInput, nowMs: number): Promise<Model> {
    return this.change(async () => {
      await this.projects.ensure(input.project, nowMs);
      const model = await this.models.put(input, nowMs);
      learn(this.known, model);
      return model;
    });
  }

  /** remove forgets a model; tells whether it was there. */
  async remove(project: string, modelId: string): Promise<boolean> {
    return this.change(async () => {
      const removed = await this.models.remove(project, modelId);
      this.known.get(project)?.delete(modelId);
      return removed;
    });
  }

  /** afterRemoval removes a channel by `remove`, and from then on the models that named it notify what is left to them. */
  async afterRemoval(remove: () => Promise<ChannelRemoval>): Promise<ChannelRemoval> {
    return this.change(async () => {
      const removal = await remove();
      if (removal.outcome === 'removed') for (const model of removal.models) learn(this.known, model);
      return removal;
    });
  }

  private async change<T>(work: () => Promise<T>): Promise<T> {
    this.changing++;
    try {
      return await work();
    } finally {
      this.changing--;
      this.changes++;
    }
  }
}

function learn(known: Map<string, Map<string, Known>>, model: Model): void {
  const models = known.get(model.project) ?? new Map<string, Known>();
  models.set(model.id, { model, thresholds: toWireThresholds(model.thresholds) });
  known.set(model.project, models);
}
