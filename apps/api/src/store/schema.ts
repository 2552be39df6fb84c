import { Database } from '@tidemark/sqlite';

/** StoreFileError says why a file cannot be used as the store; `code` is STORE_NEWER, STORE_DAMAGED or STORE_FOREIGN. */
export class StoreFileError extends Error {
  constructor(
    message: string,
    readonly code: 'STORE_NEWER' | 'STORE_DAMAGED' | 'STORE_FOREIGN',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StoreFileError';
  }
}

/** APPLICATION_ID marks the file as a Tidemark store ("TdMk"), so that another program's file is not written to. */
const APPLICATION_ID = 0x54644d6b;

/**
 * MIGRATIONS bring a file from version i to i + 1; user_version counts them. Texts are in the form of toSqlText.
 *
 * - commits: one row a commit with its points as one plain chunk (see openCommit): a batch costs a page or two, however
 *   many series it touches. Ids rise for ever, even past deleted rows (see StoreState.read).
 * - damaged_commits: rows of commits that could not be read when they were to be flushed, kept as they are.
 * - blocks: the points of one series and hour or less, sorted and compressed.
 * - series_state.flushed_commit: the points of the series in commits up to this id are in blocks and rollups; those in
 *   later commits are in neither.
 * - rollups.id: see rollupId; a row for each series and each model, so that a model's windows need no merging of series.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
   CREATE TABLE models (id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, model_id TEXT NOT NULL,
     UNIQUE (project, model_id));
   CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, model INTEGER NOT NULL,
     model_type TEXT NOT NULL, tags TEXT NOT NULL);
   CREATE INDEX series_by_model ON series (model);
   CREATE TABLE series_state (model INTEGER, series INTEGER, flushed_commit INTEGER NOT NULL, received_ms INTEGER NOT NULL,
     PRIMARY KEY (model, series)) WITHOUT ROWID;
   CREATE TABLE metric_names (model INTEGER, name TEXT, PRIMARY KEY (model, name)) WITHOUT ROWID;
   CREATE TABLE commits (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL,
     last_seq INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE TABLE blocks (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL,
     count INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE INDEX blocks_by_series ON blocks (series, max_ms, min_ms, count);
   CREATE TABLE rollups (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
   CREATE TABLE drifts (id INTEGER PRIMARY KEY, model INTEGER NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
     drift_type TEXT NOT NULL, severity TEXT NOT NULL, confidence REAL NOT NULL, tags TEXT NOT NULL);
   CREATE INDEX drifts_by_model ON drifts (model, time_ms, seq);
   CREATE INDEX drifts_by_time ON drifts (time_ms);
   CREATE INDEX drifts_by_seq ON drifts (seq);
   CREATE TABLE records (project TEXT, key TEXT, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
     created_ms INTEGER NOT NULL, PRIMARY KEY (project, key)) WITHOUT ROWID;
   CREATE INDEX records_by_age ON records (created_ms);`,
  `CREATE TABLE damaged_commits (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, min_ms INTEGER NOT NULL,
     max_ms INTEGER NOT NULL, last_seq INTEGER NOT NULL, body BLOB NOT NULL);`,
];

/** openStoreFile opens the store's file for its one writer and brings it up to date. Throws StoreFileError naming the file. */
export function openStoreFile(file: string, cacheKiB: number): Database {
  try {
    const database = Database.open({ file, cacheKiB });
    try {
      migrate(database, file);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw explain(error, file);
  }
}

function migrate(database: Database, file: string): void {
  const version = readNumber(database, 'user_version');
  if (version > MIGRATIONS.length) {
    const versions = `has version ${version}, this program knows versions up to ${MIGRATIONS.length}`;
    throw new StoreFileError(`the store ${file} ${versions}: start a newer Tidemark`, 'STORE_NEWER');
  }
  const isEmpty = version === 0 && readNumber(database, 'schema_version') === 0;
  if (!isEmpty && readNumber(database, 'application_id') !== APPLICATION_ID) {
    throw new StoreFileError(`${file} is an SQLite file of another program: it is left alone`, 'STORE_FOREIGN');
  }
  for (let from = version; from < MIGRATIONS.length; from++) {
    database.transaction(() => {
      database.exec(MIGRATIONS[from]);
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA user_version = ${from + 1}`);
    });
  }
}

function readNumber(database: Database, pragma: string): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get([])?.[pragma] ?? 0);
}

function explain(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('SQLITE_CORRUPT') && code !== 'SQLITE_NOTADB') return error;
  const message = `the store ${file} is damaged or not an SQLite file: restore it from a copy or move it away`;
  return new StoreFileError(message, 'STORE_DAMAGED', { cause: error });
}
