import type { State } from './database.js';

/** Writers keeps, for each slot under which points are written, up to which sequence number they may be numbered. */
export class Writers {
  constructor(private readonly state: State) {}

  /** reservedSeq answers the highest number that a holder of the slot may have given; 0 where there was none. */
  async reservedSeq(slot: number): Promise<number> {
    const query = this.state.db.selectFrom('writers').select('reserved_seq').where('slot', '=', slot);
    return (await query.executeTakeFirst())?.reserved_seq ?? 0;
  }

  /** reserve lets the slot's holder give numbers up to this one, once it resolves. A lower one than before changes nothing. */
  async reserve(slot: number, seq: number): Promise<void> {
    const query = this.state.db
      .insertInto('writers')
      .values({ slot, reserved_seq: seq })
      .onConflict((conflict) =>
        conflict.column('slot').doUpdateSet({ reserved_seq: seq }).where('writers.reserved_seq', '<', seq),
      );
    await this.state.write([{ query: query.compile() }]);
  }
}
