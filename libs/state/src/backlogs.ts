import type { State } from './database.js';
import { bump } from './revisions.js';

/** WaitingPoints are acknowledged points at one instance that the server of points has not got yet. */
export interface WaitingPoints {
  /** Who holds them: the same over restarts. */
  readonly writer: string;
  readonly points: number;
  /** When the oldest was acknowledged, epoch ms. */
  readonly oldestMs: number;
  /** When it was last said, epoch ms. */
  readonly updatedMs: number;
}

/** Backlogs is where instances tell each other what waits with them. It outlives them, as what they hold does. */
export class Backlogs {
  constructor(private readonly state: State) {}

  /** put says what waits at an instance, in place of what it said before; nothing is said by 0 points. */
  async put({ writer, points, oldestMs, updatedMs }: WaitingPoints): Promise<void> {
    const { db } = this.state;
    const row = { points, oldest_ms: oldestMs, updated_ms: updatedMs };
    const query =
      points === 0
        ? db.deleteFrom('backlogs').where('writer', '=', writer)
        : db
            .insertInto('backlogs')
            .values({ writer, ...row })
            .onConflict((conflict) => conflict.column('writer').doUpdateSet(row));
    // An unmet expectation is that nothing was said before: then there is nothing to read anew.
    await this.state.write([{ query: query.compile(), expect: 1 }, bump(this.state, 'backlogs')]);
  }

  /** list answers what waits, at every instance where something does. */
  async list(): Promise<WaitingPoints[]> {
    const rows = await this.state.db.selectFrom('backlogs').selectAll().orderBy('writer').execute();
    return rows.map(({ writer, points, oldest_ms, updated_ms }) => ({
      ...{ writer, points },
      ...{ oldestMs: oldest_ms, updatedMs: updated_ms },
    }));
  }
}
