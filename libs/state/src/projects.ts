import type { State } from './database.js';
import { bump } from './revisions.js';

/** DEFAULT_PROJECT is the project of everything that names none. */
export const DEFAULT_PROJECT = 'default';

/** Project is the wall between tenants: every row carries one. */
export interface Project {
  readonly id: string;
  readonly createdMs: number;
}

/** Projects keeps the list of projects. */
export class Projects {
  constructor(private readonly state: State) {}

  /** ensure makes the project unless it is there. */
  async ensure(id: string, nowMs: number): Promise<void> {
    const query = this.state.db
      .insertInto('projects')
      .values({ id, created_ms: nowMs })
      .onConflict((conflict) => conflict.doNothing());
    // An unmet expectation is that it is there: nothing changed, and the revision stays.
    await this.state.write([{ query: query.compile(), expect: 1 }, bump(this.state, 'projects')]);
  }

  /** list answers every project, oldest first. */
  async list(): Promise<Project[]> {
    const rows = await this.state.db.selectFrom('projects').selectAll().orderBy('created_ms').orderBy('id').execute();
    return rows.map((row) => ({ id: row.id, createdMs: row.created_ms }));
  }
}
