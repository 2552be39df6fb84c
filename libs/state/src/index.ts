export {
  type Acknowledgement,
  type Alert,
  type AlertEvent,
  type AlertEventKind,
  type AlertKey,
  type AlertState,
  type AlertType,
  alertTypeOf,
  type Rule,
  type Severity,
} from './alert.js';
export { type AlertCounts, type AlertFilter, Alerts, type TransitionOutcome } from './alerts.js';
export { type Channel, type ChannelInput, type ChannelKind, type ChannelRemoval, Channels } from './channels.js';
export { openSqliteState, type State, type StateOptions } from './database.js';
export { Deliveries, type DeliveryFilter, type ReplayOutcome } from './deliveries.js';
export { type AttemptOutcome, type Delivery, type DeliveryAttempt, type DeliveryStatus } from './delivery.js';
export { deliveryId, eventId, type EventIdentity, newId, type Random } from './identity.js';
export { type ApiKey, type Identity, type KeyInput, Keys, type Scope } from './keys.js';
export { UnknownSchemaError } from './migrations/migrate.js';
export {
  DEFAULT_REPEAT_INTERVAL_MS,
  DEFAULT_RESOLVE_AFTER_MS,
  type Environment,
  type Model,
  type ModelInput,
  Models,
  type ModelType,
  type Thresholds,
} from './models.js';
export { type MarkOutcome, Outbox, type RecentDelivery, type Try } from './outbox.js';
export { DEFAULT_PROJECT, type Project, Projects } from './projects.js';
export { type Change, type EventDraft, type Firing, type Transition } from './transition.js';
