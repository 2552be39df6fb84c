import type { SqlRow, SqlValue } from './database.js';

/** StatementCall is one SQL text with its positional parameters, as it is sent to a thread. */
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
