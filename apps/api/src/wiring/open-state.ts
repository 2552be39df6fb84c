import { join } from 'node:path';
import { openPostgres } from '@tidemark/program';
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

/** openState opens models, alerts, channels, deliveries and keys, in SQL. */
export async function openState(opening: Opening) {
  const { config, clock, log, closeLast } = opening;
  const state = await openDatabase(opening);
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

async function openDatabase(opening: Opening): Promise<Database> {
  const { config, fatal, closeLast } = opening;
  if (config.databaseUrl !== null) return openPostgres(config.databaseUrl, opening);
  const state = await openSqliteState(join(config.dataDir, 'state.db'), { onDeath: fatal });
  closeLast(() => state.close());
  return state;
}

/** State is the open state with what reads and writes it. */
export type State = Awaited<ReturnType<typeof openState>>;
