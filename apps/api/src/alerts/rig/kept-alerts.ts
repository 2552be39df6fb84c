import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Alert,
  type AlertEvent,
  Alerts,
  Deliveries,
  openSqliteState,
  Projects,
  type State,
} from '@tidemark/state';
import { openPostgresState } from '@tidemark/state/postgres';
import type { Severity } from '@tidemark/types';
import { ManualClock } from '../../rig/manual-clock.js';
import type { Breach } from '../../rules/evaluate.js';
import { AlertBook, type AlertBookDeps } from '../alert-book.js';

/** RESOLVE_AFTER_MS is how long every model here must be quiet. */
export const RESOLVE_AFTER_MS = 300_000;
/** REPEAT_MS is the time between reminders of every model here. */
export const REPEAT_MS = 3_600_000;

/** KeptAlerts is a state database in a folder of its own, with the books that a test opens on it. */
export class KeptAlerts {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  channels: readonly string[] = ['c1'];
  private readonly opened: State[] = [];

  private constructor(
    private readonly folder: string,
    private readonly url: string | null,
  ) {}

  /** open keeps alerts in an SQLite file, or in the PostgreSQL database of a URL. */
  static async open(url: string | null = null): Promise<KeptAlerts> {
    return new KeptAlerts(await mkdtemp(join(tmpdir(), 'tidemark-alerts-')), url);
  }

  /** state opens another handle on the database, as another process would. */
  async state(): Promise<State> {
    const { url, folder } = this;
    const state = await (url === null ? openSqliteState(join(folder, 'state.db')) : openPostgresState({ url }));
    this.opened.push(state);
    await new Projects(state).ensure('p', this.clock.wallMs());
    return state;
  }

  /** book opens a book on a handle, of which a test may change what it decides by. */
  book(state: State, given: Partial<AlertBookDeps> = {}): AlertBook {
    return new AlertBook({
      alerts: new Alerts(state),
      clock: this.clock,
      random: randomBytes,
      timingOf: () => ({ resolveAfterMs: RESOLVE_AFTER_MS, repeatIntervalMs: REPEAT_MS }),
      channelsFor: async () => this.channels,
      payload: (alert: Alert, event: AlertEvent) => JSON.stringify({ alert: alert.id, event: event.kind }),
      committed: (_alert, events) => void this.told.push(...events.map(({ kind }) => kind)),
      ...given,
    });
  }

  async close(): Promise<void> {
    for (const state of this.opened.splice(0)) await state.close();
    await rm(this.folder, { recursive: true });
  }
}

/** slowed puts `before` in front of every write of a handle: it may wait, or fail as a disk does. */
export function slowed(state: State, before: () => Promise<void>): State {
  return {
    db: state.db,
    write: async (batch, durability) => {
      await before();
      return state.write(batch, durability);
    },
    close: () => state.close(),
  };
}

/** aBreach is a breach of the latency of model m. */
export function aBreach(severity: Severity = 'low', given: Partial<Breach> = {}): Breach {
  return {
    ...{ project: 'p', modelId: 'm', rule: 'latency', severity },
    ...{ value: 10, threshold: 5, count: 1, message: `${severity} latency` },
    ...given,
  };
}

/** historyOf lists what happened to every alert of the project, oldest alert first. */
export async function historyOf(state: State): Promise<string[][]> {
  const alerts = new Alerts(state);
  const all = await alerts.list({ project: 'p', sinceMs: 0, limit: 1000 });
  const oldestFirst = all.sort((a, b) => a.incident - b.incident || a.modelId.localeCompare(b.modelId));
  return Promise.all(oldestFirst.map(async ({ id }) => (await alerts.events(id)).map(({ kind }) => kind)));
}

/** ledgerOf counts the deliveries of the project by event. */
export async function ledgerOf(state: State): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const deliveries = await new Deliveries(state).list({ project: 'p', limit: 1000 });
  for (const { eventKind } of deliveries) counts[eventKind] = (counts[eventKind] ?? 0) + 1;
  return counts;
}
