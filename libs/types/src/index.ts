export {
  ALERT_EVENTS,
  ALERT_TYPES,
  type Alert,
  type AlertEvent,
  type AlertEventKind,
  AlertEventSchema,
  AlertSchema,
  type AlertType,
  type Rule,
  RULES,
} from './alert.js';
export { type Channel, CHANNEL_KINDS, type ChannelKind, ChannelSchema } from './channel.js';
export { type Delivery, DELIVERY_STATUSES, DeliverySchema, type DeliveryStatus } from './delivery.js';
export {
  ERROR_CODES,
  type ErrorCode,
  ITEM_CODES,
  type ItemCode,
  type ItemFault,
  type Problem,
  type ProblemCode,
  type RejectedItem,
} from './error-codes.js';
export { type Key, KeySchema, type Scope, SCOPES } from './key.js';
export {
  LIVE_KINDS,
  LIVE_MAX_FRAME_BYTES,
  LIVE_MAX_MESSAGES_PER_SECOND,
  type LiveKind,
  type LiveRequest,
  LiveRequestSchema,
} from './live.js';
export { type LiveAnswer } from './live-answer.js';
export {
  DRIFT_TYPES,
  type DriftMetric,
  DriftMetricSchema,
  type DriftType,
  type InferenceMetric,
  InferenceMetricSchema,
  MAX_BATCH_ITEMS,
  MAX_ID_LENGTH,
  MAX_NAME_LENGTH,
  MAX_TAGS,
  MAX_VALUES,
  MODEL_TYPES,
  type ModelType,
  oneOf,
  type ResourceUsage,
  SEVERITIES,
  type Severity,
  type StoredDrift,
  StoredDriftSchema,
  type StoredInference,
  StoredInferenceSchema,
} from './metric.js';
export {
  DEFAULT_REPEAT_INTERVAL_S,
  DEFAULT_RESOLVE_AFTER_S,
  DEFAULT_THRESHOLDS,
  type Environment,
  ENVIRONMENTS,
  type Model,
  type ModelRegistration,
  ModelRegistrationSchema,
  ModelSchema,
  type Thresholds,
  ThresholdsSchema,
} from './model.js';
export { type Stat, STATS } from './stat.js';
