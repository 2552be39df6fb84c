import { sql } from 'kysely';
import { databaseNowMs } from './database-clock.js';
import { type State, writeReturning } from './database.js';

/** LeaseOutcome tells whether the lease is held for another `ttlMs`, or who has it. */
export type LeaseOutcome =
  | { readonly outcome: 'held' }
  | { readonly outcome: 'refused'; readonly code: 'held_by_other'; readonly holder: string | null };

/** LeaseRequest is who wants a lease, and for how long. */
export interface LeaseRequest {
  readonly name: string;
  /** Unique among all who may ask. */
  readonly holder: string;
  readonly ttlMs: number;
}

/**
 * Leases gives what one may do at a time to one holder at a time, until it releases it or does not renew it in time. Time
 * is the database's: no two processes need the same clock. Where that clock is set forward, a lease ends so much
 * earlier; what is written under a lease must therefore be harmless when two do it.
 */
export class Leases {
  constructor(private readonly state: State) {}

  /** acquire takes a lease that nobody has (any more), or prolongs the holder's own. */
  async acquire({ name, holder, ttlMs }: LeaseRequest): Promise<LeaseOutcome> {
    const { db } = this.state;
    const nowMs = databaseNowMs(db);
    const expires_ms = sql<number>`${nowMs} + ${sql.lit(wholeMs(ttlMs))}`;
    const query = db
      .insertInto('leases')
      .values({ name, holder, expires_ms })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, expires_ms })
          .where((is) => is.or([is('leases.holder', '=', holder), is('leases.expires_ms', '<=', nowMs)])),
      )
      .returning('holder');
    const [row] = await writeReturning(this.state, query.compile());
    return row ? { outcome: 'held' } : this.refused(name);
  }

  /** renew prolongs a lease that the holder still has; one that ran out is not taken again. */
  async renew({ name, holder, ttlMs }: LeaseRequest): Promise<LeaseOutcome> {
    const { db } = this.state;
    const nowMs = databaseNowMs(db);
    const query = db
      .updateTable('leases')
      .set({ expires_ms: sql<number>`${nowMs} + ${sql.lit(wholeMs(ttlMs))}` })
      .where('name', '=', name)
      .where('holder', '=', holder)
      .where('expires_ms', '>', nowMs)
      .returning('holder');
    const [row] = await writeReturning(this.state, query.compile());
    return row ? { outcome: 'held' } : this.refused(name);
  }

  /** release gives the holder's lease up, so that another may have it at once. */
  async release(name: string, holder: string): Promise<void> {
    const query = this.state.db.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder);
    await this.state.write([{ query: query.compile() }]);
  }

  private async refused(name: string): Promise<LeaseOutcome> {
    const query = this.state.db.selectFrom('leases').select('holder').where('name', '=', name);
    return { outcome: 'refused', code: 'held_by_other', holder: (await query.executeTakeFirst())?.holder ?? null };
  }
}

function wholeMs(ms: number): number {
  if (!Number.isSafeInteger(ms) || ms <= 0) throw new RangeError('a lease lasts a whole number of milliseconds');
  return ms;
}
