import type { State, Write } from './database.js';

/** Topic is what instances keep in memory of what others write: configuration, and what waits at each of them. */
export type Topic = 'projects' | 'models' | 'channels' | 'keys' | 'backlogs';

/** Revisions tells what was changed, in one cheap question: every change of a topic makes its number higher. */
export class Revisions {
  constructor(private readonly state: State) {}

  /** read answers the number of each topic; what is read after it is at least as new as the number says. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.state.db.selectFrom('revisions').selectAll().execute();
    return new Map(rows.map(({ topic, revision }) => [topic, revision]));
  }
}

/**
 * bump makes the number of a topic higher, in the transaction of the change itself. It is the last statement of that
 * batch: all changes of a topic wait for its row, so it should be held for a short time only.
 */
export function bump({ db }: State, topic: Topic): Write {
  const query = db
    .updateTable('revisions')
    .set((is) => ({ revision: is('revision', '+', 1) }))
    .where('topic', '=', topic);
  return { query: query.compile() };
}
