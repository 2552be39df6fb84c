import type { SqlRow, SqlValue } from './database.js';
import { SqliteThread } from './sqlite-thread.js';

/** StatementsInput is what the statements program is opened with. */
export interface StatementsInput {
  readonly file: string;
}

/** StatementCall is one SQL text with its positional parameters. */
export interface StatementCall {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** StatementResult holds the rows of a reader, or the counts of a writer. */
export interface StatementResult {
  readonly rows: SqlRow[];
  readonly changes: number;
  readonly lastInsertRowid: number;
}

/** openStatementsThread opens a thread that runs whatever SQL it is sent (methods `execute` and `close`). */
export function openStatementsThread(file: string, onDeath?: (error: Error) => void): Promise<SqliteThread> {
  const input: StatementsInput = { file };
  return SqliteThread.open({ entry: new URL('../dist/statements-thread.js', import.meta.url), input, onDeath });
}
