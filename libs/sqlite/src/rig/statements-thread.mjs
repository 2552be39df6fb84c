import { assertWellFormed, Database } from '../../dist/database.js';
import { serve, threadInput } from '../../dist/thread.js';

const database = Database.open({ file: threadInput().file, cacheKiB: 4096 });

serve({
  execute(call) {
    for (const value of call.params) if (typeof value === 'string') assertWellFormed(value);
    return { value: execute(call) };
  },
  close() {
    database.close();
  },
});

function execute(call) {
  const statement = database.prepare(call.sql);
  if (statement.reader) {
    const rows = statement.all(call.params);
    return { rows, changes: rows.length, lastInsertRowid: 0 };
  }
  const { changes, lastInsertRowid } = statement.run(call.params);
  return { rows: [], changes, lastInsertRowid };
}
