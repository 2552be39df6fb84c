export { Tidemark } from './client.js';
export { systemClock } from './clock.js';
export type { Clock } from './clock.js';
export type { BreakerState } from './circuit-breaker.js';
export type { DrainOutcome } from './drain.js';
export { observeWith } from './observe.js';
export type { ClientSource } from './observe.js';
export type {
  Annotate,
  Callable,
  MethodOf,
  Observe,
  ObserveDecorator,
  ObserveOptions,
  OptionalEntries,
} from './observe-options.js';
export type { TidemarkOptions } from './options.js';
export type { PointKind } from './point.js';
export type { DriftPoint, InferencePoint, ModelType } from './read-point.js';
export type { DropReport, RejectedItem, RejectReport } from './reporter.js';
export type { DropReason, Failure, Stats } from './stats.js';
