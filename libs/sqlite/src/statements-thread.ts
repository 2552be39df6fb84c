import { assertWellFormed, Database } from './database.js';
import type { StatementCall, StatementResult, StatementsInput } from './statements.js';
import { serve, threadInput } from './thread.js';

const database = Database.open({ file: threadInput<StatementsInput>().file, cacheKiB: 4096 });

serve({
  execute(call: StatementCall) {
    for (const value of call.params) if (typeof value === 'string') assertWellFormed(value);
    return { value: execute(call) };
  },
  close() {
    database.close();
  },
});

function execute(call: StatementCall): StatementResult {
  const statement = database.prepare(call.sql);
  if (statement.reader) {
    const rows = statement.all(call.params);
    return { rows, changes: rows.length, lastInsertRowid: 0 };
  }
  const { changes, lastInsertRowid } = statement.run(call.params);
  return { rows: [], changes, lastInsertRowid };
}
