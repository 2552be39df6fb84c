export { copyDatabase } from './copy-database.js';
export {
  assertWellFormed,
  Database,
  type OpenOptions,
  type SqlRow,
  type SqlValue,
  type Statement,
  type TransactionOptions,
} from './database.js';
export { FileLock } from './file-lock.js';
export { SqliteError, SqliteThread, type ThreadOptions } from './sqlite-thread.js';
export type { StatementCall, StatementResult } from './statement-call.js';
