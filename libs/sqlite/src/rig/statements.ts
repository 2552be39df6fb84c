import { SqliteThread } from '../sqlite-thread.js';

/** openStatementsThread opens a thread that runs whatever SQL it is sent (methods `execute` and `close`). */
export function openStatementsThread(file: string): Promise<SqliteThread> {
  return SqliteThread.open({ entry: new URL('statements-thread.mjs', import.meta.url), input: { file } });
}
