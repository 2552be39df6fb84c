import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Alert,
  type AlertEvent,
  Alerts,
  Channels,
  Claims,
  DEFAULT_PROJECT,
  Deliveries,
  type Delivery,
  type EventDraft,
  newId,
  openSqliteState,
  Outbox,
  type State,
} from '@tidemark/state';
import type { AlertEventKind, Severity } from '@tidemark/types';
import { createAddressGuard, parseAllowList } from '../channels/address-guard.js';
import type { ChannelConfig } from '../channels/channel-config.js';
import { ChannelDirectory } from '../channels/channel-directory.js';
import { systemResolve } from '../channels/guarded-connect.js';
import { openSafeFetch, type SafeFetch } from '../channels/safe-fetch.js';
import { newWebhookSecret } from '../channels/webhook-signature.js';
import type { Notification } from '../notification.js';
import { seal } from '../secrets/seal.js';
import { sampleNotification } from './notification-sample.js';

/** EventChoice is what a test wants to know of an event. */
export interface EventChoice {
  readonly kind?: AlertEventKind;
  readonly severity?: Severity;
  readonly channelIds: readonly string[];
  readonly atMs?: number;
  readonly ordinal?: number;
}

/** LedgerBench is a state file with channels, and a hand to raise alerts in it. */
export class LedgerBench {
  readonly alerts: Alerts;
  readonly channels: Channels;
  readonly claims: Claims;
  readonly deliveries: Deliveries;
  readonly outbox: Outbox;
  readonly http: SafeFetch;
  readonly directory: ChannelDirectory;

  private constructor(
    readonly state: State,
    private readonly cleanUp: () => Promise<void>,
    readonly key: Buffer,
  ) {
    this.alerts = new Alerts(state);
    this.channels = new Channels(state);
    this.claims = new Claims(state);
    this.deliveries = new Deliveries(state);
    this.outbox = new Outbox(state);
    const allowed = parseAllowList(['127.0.0.0/8']);
    const guard = createAddressGuard(allowed.ok ? allowed.rules : []);
    this.http = openSafeFetch({ guard, resolve: systemResolve, timeoutMs: 2000 });
    const deps = { http: this.http, guard, resolve: systemResolve, wallMs: Date.now };
    this.directory = new ChannelDirectory({ channels: this.channels, key: this.key, deps });
  }

  static async open(): Promise<LedgerBench> {
    const folder = await mkdtemp(join(tmpdir(), 'ledger-'));
    const cleanUp = () => rm(folder, { recursive: true });
    return new LedgerBench(await openSqliteState(join(folder, 'state.db')), cleanUp, randomBytes(32));
  }

  /** over stands on a state that is open already, and closes it; processes that share it share `key`. */
  static over(state: State, key = randomBytes(32)): LedgerBench {
    return new LedgerBench(state, () => Promise.resolve(), key);
  }

  /** addWebhook keeps a webhook channel and answers its id. */
  async addWebhook(url: string): Promise<string> {
    return this.addChannel({ kind: 'webhook', url, method: 'POST', secret: newWebhookSecret(randomBytes) });
  }

  async addChannel(config: ChannelConfig): Promise<string> {
    const id = newId(randomBytes);
    const sealedConfig = seal(JSON.stringify(config), id, this.key, randomBytes);
    const input = { project: DEFAULT_PROJECT, id, name: id, kind: config.kind, sealedConfig, enabled: true };
    await this.channels.put(input, Date.now());
    return id;
  }

  /** fire commits a new alert of a model. */
  async fire(modelId: string, choice: EventChoice): Promise<Alert> {
    const { severity = 'high', atMs = Date.now() } = choice;
    return this.committed(
      await this.alerts.commitTransition({
        previous: null,
        key: { project: DEFAULT_PROJECT, modelId, rule: 'latency' },
        id: newId(randomBytes),
        next: {
          severity,
          message: 'High latency detected: 1500.0ms (threshold: 1000.0ms)',
          value: 1500,
          threshold: 1000,
          peak: 1500,
          occurrences: 1,
          startedMs: atMs,
          lastBreachMs: atMs,
          lastNotifiedMs: atMs,
          acknowledged: null,
          resolvedMs: null,
          resolvedBy: null,
          resolveComment: null,
        },
        events: [draftOf({ kind: 'fired', ...choice })],
        payload: payloadOf,
      }),
    );
  }

  /** change commits one more event of an alert; `resolved` ends it. */
  async change(alert: Alert, choice: EventChoice & { readonly kind: AlertEventKind }): Promise<Alert> {
    const { atMs = Date.now(), severity = alert.severity, kind } = choice;
    const next = { ...alert, severity, resolvedMs: kind === 'resolved' ? atMs : null };
    return this.committed(
      await this.alerts.commitTransition({ previous: alert, next, events: [draftOf(choice)], payload: payloadOf }),
    );
  }

  /** ledger answers all deliveries, oldest event first. */
  async ledger(): Promise<Delivery[]> {
    const all = await this.deliveries.list({ project: DEFAULT_PROJECT, limit: 10_000 });
    return all.sort((a, b) => a.createdMs - b.createdMs || a.sequence - b.sequence);
  }

  /** statuses counts the deliveries by their status. */
  async statuses(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status } of await this.ledger()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  async close(): Promise<void> {
    await this.directory.close();
    await this.http.close();
    await this.state.close();
    await this.cleanUp();
  }

  private committed(done: Awaited<ReturnType<Alerts['commitTransition']>>): Alert {
    if (done.outcome !== 'committed') throw new Error('the transition was not committed');
    return done.alert;
  }
}

function draftOf({
  kind = 'fired',
  severity = 'high',
  channelIds,
  atMs = Date.now(),
  ordinal,
}: EventChoice): EventDraft {
  const message = 'High latency detected: 1500.0ms (threshold: 1000.0ms)';
  const said = { message, value: 1500, threshold: 1000, occurrences: 1, by: null, comment: null };
  return { kind, severity, atMs, channelIds, ...said, ...(ordinal === undefined ? {} : { ordinal }) };
}

function payloadOf(alert: Alert, event: AlertEvent): string {
  const notification: Notification = sampleNotification({
    event: event.kind === 'acknowledged' ? 'test' : event.kind,
    event_id: event.eventId,
    alert_id: alert.id,
    model_id: alert.modelId,
    severity: event.severity,
    resolved: event.kind === 'resolved',
  });
  return JSON.stringify(notification);
}
