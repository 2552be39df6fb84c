import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { postgresProgram } from '@tidemark/servers';

const run = promisify(execFile);
const TIMEOUT_MS = 10_000;
/** A PostgreSQL session hands in its counts a second after a transaction at the latest. */
const HANDED_IN_MS = 1500;

/** ServerCounts are what the servers count of themselves since they started. */
export interface ServerCounts {
  readonly transactions: number;
  readonly commands: number;
}

/** readCounts asks PostgreSQL for its transactions and Redis for its commands, when both have counted all that was. */
export async function readCounts(urls: { readonly postgres: string; readonly redis: string }): Promise<ServerCounts> {
  await sleep(HANDED_IN_MS);
  const sql = 'SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database';
  const [rows, info] = await Promise.all([
    run(postgresProgram('psql') ?? 'psql', ['-At', '-c', sql, urls.postgres], { timeout: TIMEOUT_MS }),
    run('redis-cli', ['-u', urls.redis, 'INFO', 'commandstats'], { timeout: TIMEOUT_MS }),
  ]);
  return { transactions: Number(rows.stdout), commands: commandsIn(info.stdout) };
}

/** commandsIn adds up the calls in an answer to INFO commandstats. */
export function commandsIn(info: string): number {
  return [...info.matchAll(/^cmdstat_[^:]+:calls=(\d+),/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}
