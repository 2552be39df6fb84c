export {
  type Acknowledgement,
  type Alert,
  type AlertEvent,
  type AlertKey,
  type AlertState,
  alertTypeOf,
} from './alert.js';
export { type AlertCounts, type AlertFilter, Alerts, type TransitionOutcome } from './alerts.js';
export { type Channel, type ChannelInput, type ChannelRemoval, Channels } from './channels.js';
export { openSqliteState, type State, type StateOptions } from './database.js';
export { Deliveries, type DeliveryFilter, type ReplayOutcome } from './deliveries.js';
export { type AttemptOutcome, type Delivery, type DeliveryAttempt } from './delivery.js';
export { deliveryId, eventId, type EventIdentity, newId, type Random } from './identity.js';
export { type ApiKey, type Identity, type KeyInput, Keys } from './keys.js';
export { UnknownSchemaError } from './migrations/migrate.js';
export { type Model, type ModelInput, Models, type Thresholds } from './models.js';
export { type MarkOutcome, Outbox, type RecentDelivery, type Try } from './outbox.js';
export { DEFAULT_PROJECT, type Project, Projects } from './projects.js';
export { type Change, type EventDraft, type Firing, type Transition } from './transition.js';
