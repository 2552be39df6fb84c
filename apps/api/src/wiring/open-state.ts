import { join } from 'node:path';
import {
  Alerts,
  Channels,
  Claims,
  Deliveries,
  Keys,
  Models,
  openSqliteState,
  Outbox,
  Projects,
  type State as Database,
} from '@tidemark/state';
import { isLoopback } from '../config.js';
import { StoredKeys } from '../platform/key-ring.js';
import { KeyUseKeeper } from '../platform/key-use-keeper.js';
import { ModelDirectory } from '../rules/model-directory.js';
import type { Opening } from './surroundings.js';

/** How long PostgreSQL is waited for at the start: it may be starting itself. */
const PATIENCE_MS = 60_000;

/** openState opens models, alerts, channels, deliveries and keys, in SQL. */
export async function openState({ config, clock, log, fatal, closeLast }: Opening) {
  const onFault = (error: unknown): void => log.warn({ err: error }, 'a connection to PostgreSQL was lost');
  const state =
    config.databaseUrl === null
      ? await openSqliteState(join(config.dataDir, 'state.db'), { onDeath: fatal })
      : await openDatabase(config.databaseUrl, { log, onFault });
  closeLast(() => state.close());
  const projects = new Projects(state);
  const keys = new Keys(state);
  const uses = new KeyUseKeeper(keys, log);
  uses.start();
  closeLast(() => uses.close());
  const ring = await StoredKeys.open(keys, clock);
  if (!isLoopback(config.host) && (await ring.isEmpty())) {
    throw new Error(
      `API_HOST: ${config.host} can be reached from elsewhere, and there is no API key yet; make one with: npm run keys -- create`,
    );
  }
  const directory = new ModelDirectory(new Models(state), projects);
  await directory.load();
  return {
    ...{ database: state, projects, keys, ring, directory },
    alerts: new Alerts(state),
    channels: new Channels(state),
    deliveries: new Deliveries(state),
    outbox: new Outbox(state),
    claims: new Claims(state),
    ensureProject: (project: string) => projects.ensure(project, clock.wallMs()),
  };
}

/** Who needs no PostgreSQL does not load its client. */
async function openDatabase(
  url: string,
  { log, onFault }: Pick<Opening, 'log'> & { readonly onFault: (error: Error) => void },
): Promise<Database> {
  const { openPostgresState } = await import('@tidemark/state/postgres');
  const onWait = (reason: string): void => log.warn({ reason }, 'PostgreSQL does not answer yet; waiting for it');
  return openPostgresState({ url, onFault, onWait, patienceMs: PATIENCE_MS });
}

/** State is the open state with what reads and writes it. */
export type State = Awaited<ReturnType<typeof openState>>;
