import type { State } from '@tidemark/state';
import type { Logger } from 'pino';
import type { Closer } from './close-all.js';

/** PostgresSurroundings hear of a database: the log what keeps it away, and whoever closes what was opened. */
export interface PostgresSurroundings {
  readonly log: Logger;
  readonly closeLast: (closer: Closer) => void;
}

/** How long it is waited for at the start: it may be starting itself. */
const PATIENCE_MS = 60_000;

/** openPostgres opens the state in PostgreSQL; it waits up to a minute for a server that cannot be asked, and says so. */
export async function openPostgres(url: string, { log, closeLast }: PostgresSurroundings): Promise<State> {
  // Its client is loaded by those who have a PostgreSQL, and by nobody else.
  const { openPostgresState } = await import('@tidemark/state/postgres');
  const state = await openPostgresState({
    url,
    onFault: (error) => log.warn({ err: error }, 'a connection to PostgreSQL was lost'),
    onWait: (reason) => log.warn({ reason }, 'PostgreSQL does not answer yet; waiting for it'),
    patienceMs: PATIENCE_MS,
  });
  closeLast(() => state.close());
  return state;
}
