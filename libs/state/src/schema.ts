import type {
  AlertEventKind,
  AlertType,
  ChannelKind,
  DeliveryStatus,
  Environment,
  ModelType,
  Rule,
  Severity,
} from '@tidemark/types';
import type { Generated } from 'kysely';
import type { AttemptOutcome } from './delivery.js';

/** Schema is every table of the state. Times are epoch ms, flags 0 or 1, lists and objects JSON text. */
export interface Schema {
  readonly projects: ProjectsTable;
  readonly api_keys: ApiKeysTable;
  readonly models: ModelsTable;
  readonly channels: ChannelsTable;
  readonly alerts: AlertsTable;
  readonly alert_events: AlertEventsTable;
  readonly deliveries: DeliveriesTable;
  readonly delivery_attempts: DeliveryAttemptsTable;
  readonly leases: LeasesTable;
  readonly revisions: RevisionsTable;
  readonly writers: WritersTable;
  readonly backlogs: BacklogsTable;
}

/** ProjectsTable holds one row a project. */
export interface ProjectsTable {
  readonly id: string;
  readonly created_ms: number;
}

/** ApiKeysTable holds keys by the SHA-256 (hex) of their secret. */
export interface ApiKeysTable {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly secret_hash: string;
  readonly scopes: string;
  readonly created_ms: number;
  readonly last_used_ms: number | null;
  readonly revoked_ms: number | null;
}

/** ModelsTable holds registered models; `position` is the place in the order of registration. */
export interface ModelsTable {
  readonly project: string;
  readonly id: string;
  readonly name: string;
  readonly model_type: ModelType;
  readonly version: string;
  readonly environment: Environment;
  readonly thresholds: string;
  readonly resolve_after_ms: number;
  readonly repeat_interval_ms: number;
  readonly channel_ids: string | null;
  readonly drift_alerts: number;
  readonly position: number;
  readonly created_ms: number;
  readonly updated_ms: number;
}

/** ChannelsTable holds channels; a removed one stays, without its config, so that the ledger can still name it. */
export interface ChannelsTable {
  readonly project: string;
  readonly id: string;
  readonly name: string;
  readonly kind: ChannelKind;
  readonly sealed_config: string;
  readonly enabled: number;
  readonly disabled_reason: string | null;
  readonly created_ms: number;
  readonly updated_ms: number;
  readonly removed_ms: number | null;
}

/** AlertsTable holds one row an incident; a row is firing while `resolved_ms` is null. */
export interface AlertsTable {
  readonly id: string;
  readonly project: string;
  readonly model_id: string;
  readonly rule: Rule;
  readonly alert_type: AlertType;
  readonly incident: number;
  readonly severity: Severity;
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly peak: number | null;
  readonly occurrences: number;
  readonly started_ms: number;
  readonly last_breach_ms: number;
  readonly last_notified_ms: number;
  readonly acknowledged_by: string | null;
  readonly acknowledge_comment: string | null;
  readonly acknowledged_ms: number | null;
  readonly resolved_ms: number | null;
  readonly resolved_by: string | null;
  readonly resolve_comment: string | null;
  readonly version: number;
}

/** AlertEventsTable is the history; `sequence` orders the events of one alert. */
export interface AlertEventsTable {
  readonly event_id: string;
  readonly alert_id: string;
  readonly sequence: number;
  readonly kind: AlertEventKind;
  readonly severity: Severity;
  readonly message: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly occurrences: number;
  readonly at_ms: number;
  readonly by: string | null;
  readonly comment: string | null;
}

/** DeliveriesTable is the ledger and the outbox: one row an event and channel. */
export interface DeliveriesTable {
  readonly id: string;
  readonly project: string;
  readonly alert_id: string;
  readonly event_id: string;
  readonly sequence: number;
  readonly channel_id: string;
  readonly model_id: string;
  readonly alert_type: AlertType;
  readonly severity: Severity;
  readonly event_kind: AlertEventKind;
  readonly payload: string;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly due_ms: number;
  readonly scheduled_ms: number;
  readonly last_error: string | null;
  readonly summarised_in: string | null;
  readonly summarised_ms: number | null;
  readonly release_ms: number | null;
  /** 1 from when the limit of the whole channel held it back until it is tried or its own subject's holds it back, 0 otherwise. */
  readonly held_by_channel: Generated<number>;
  readonly created_ms: number;
  readonly updated_ms: number;
  readonly delivered_ms: number | null;
  /** Who delivers it until when, while it is claimed by id; the token counts its claims. */
  readonly claimed_by: string | null;
  readonly claimed_until_ms: number | null;
  readonly claim_token: Generated<number>;
  /** When a process last ended while it was sending it, so that nobody knows whether it arrived. */
  readonly cut_short_ms: Generated<number | null>;
}

/** DeliveryAttemptsTable holds every try of a delivery, over replays too. */
export interface DeliveryAttemptsTable {
  readonly delivery_id: string;
  readonly number: number;
  readonly at_ms: number;
  readonly outcome: AttemptOutcome;
  readonly detail: string | null;
  readonly duration_ms: number;
}

/** LeasesTable holds who may do what alone; `expires_ms` is by the database's own clock. */
export interface LeasesTable {
  readonly name: string;
  readonly holder: string;
  readonly expires_ms: number;
}

/** RevisionsTable counts the changes of each kind of configuration. */
export interface RevisionsTable {
  readonly topic: string;
  readonly revision: number;
}

/** WritersTable holds up to which sequence number the holders of a slot may have numbered points. */
export interface WritersTable {
  readonly slot: number;
  readonly reserved_seq: number;
}

/** BacklogsTable holds what waits at each instance for the server of points; no row where nothing does. */
export interface BacklogsTable {
  readonly writer: string;
  readonly points: number;
  readonly oldest_ms: number;
  readonly updated_ms: number;
}
