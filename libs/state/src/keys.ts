import { type Scope, SCOPES } from '@tidemark/types';
import type { CompiledQuery, Selectable } from 'kysely';
import type { State } from './database.js';
import type { Random } from './identity.js';
import { StateUnavailableError } from './state-unavailable.js';
import { hashSecret, makeKey, matches, parseKey } from './presented-key.js';
import { bump } from './revisions.js';
import type { ApiKeysTable } from './schema.js';
import { readTexts } from './stored-json.js';

/** ApiKey is a key without its secret, which nobody keeps. */
export interface ApiKey {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdMs: number;
  /** When it was last used, to the precision of `flushLastUsed`; null when never. */
  readonly lastUsedMs: number | null;
  readonly revokedMs: number | null;
}

/** KeyInput is a key to make. */
export interface KeyInput extends Pick<ApiKey, 'project' | 'name' | 'scopes'> {
  readonly nowMs: number;
  readonly random: Random;
}

/** Identity is who presented a valid key. */
export interface Identity {
  readonly project: string;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

/** How long this process may go on with a key that another has revoked, where nobody calls `reload`. */
const REFRESH_MS = 5_000;

/**
 * How long the keys that were valid when the database last answered go on while it does not. They end, because others may
 * still reach it and revoke one; and an instance that writes points under a leased number ends itself about then.
 */
const OUTAGE_MS = 9 * 60_000;

/** How long one who presents a key waits for a database that does not answer, while its keys are known. */
const PATIENCE_MS = 500;

/** Ids in one question; what comes beyond is wrong, or asked again by its owner. */
const MOST_WANTED = 100;

interface CachedKey {
  readonly identity: Identity;
  readonly secretHash: string;
}

/** KnownKeys are the valid keys as the database told them at a time of the wall clock. */
interface KnownKeys {
  readonly keys: ReadonlyMap<string, CachedKey>;
  readonly atMs: number;
  /** The how-manieth look it was: one that ends late must not undo what a later one found. */
  readonly turn: number;
}

/**
 * Keys keeps the API keys. Valid keys are held in memory, so that checking one costs a hash and no query. What this
 * process changes counts at once; of another process, a new key does too, and a revoked one within 5 s or at `reload`.
 * While the database is away, keys that were valid go on for nine minutes, but for one that was to be revoked here; of
 * any other key nobody can tell, and `verify` rejects.
 */
export class Keys {
  private cache: Promise<ReadonlyMap<string, CachedKey>> | null = null;
  private loadedMs = 0;
  /** What may answer while the database is away; null once it is known to be out of date. */
  private known: KnownKeys | null = null;
  private changes = 0;
  private turns = 0;
  private readonly lastUsed = new Map<string, number>();
  /** Ids that the next look asks for. */
  private readonly wanted = new Set<string>();
  private looking: Promise<unknown> = Promise.resolve();
  private nextLook: Promise<ReadonlyMap<string, CachedKey>> | null = null;

  constructor(private readonly state: State) {}

  /** create makes a key and answers it with the text that its holder must keep: it is never shown again. */
  async create({ project, name, scopes, nowMs, random }: KeyInput): Promise<{ key: ApiKey; text: string }> {
    const { id, secret, text } = makeKey(random);
    const row = {
      id,
      project,
      name,
      secret_hash: hashSecret(secret),
      scopes: JSON.stringify(scopes),
      created_ms: nowMs,
      last_used_ms: null,
      revoked_ms: null,
    };
    const query = this.state.db.insertInto('api_keys').values(row).compile();
    await this.state.write([{ query }, bump(this.state, 'keys')]);
    this.cache = null;
    return { key: toKey(row), text };
  }

  /** verify answers who presented the key, or null for a wrong, unknown or revoked one. */
  async verify(presented: string, nowMs: number): Promise<Identity | null> {
    const parts = parseKey(presented);
    if (!parts) return null;
    const cached = (await this.valid(nowMs)).get(parts.id) ?? (await this.lookFor(parts.id));
    if (!matches(parts.secret, cached?.secretHash ?? null) || !cached) return null;
    this.lastUsed.set(parts.id, nowMs);
    return cached.identity;
  }

  /** get answers one key of a project, or null. */
  async get(project: string, id: string): Promise<ApiKey | null> {
    const row = await this.state.db
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', id)
      .where('project', '=', project)
      .executeTakeFirst();
    return row ? toKey(row) : null;
  }

  /** list answers the keys of a project that were not revoked, oldest first. */
  async list(project: string): Promise<ApiKey[]> {
    const rows = await this.state.db
      .selectFrom('api_keys')
      .selectAll()
      .where('project', '=', project)
      .where('revoked_ms', 'is', null)
      .orderBy('created_ms')
      .orderBy('id')
      .execute();
    return rows.map(toKey);
  }

  /** everCreated tells whether any key was ever made, revoked ones too: from then on requests need one. */
  async everCreated(): Promise<boolean> {
    const row = await this.state.db.selectFrom('api_keys').select('id').limit(1).executeTakeFirst();
    return row !== undefined;
  }

  /** revoke ends a key at once and tells whether it was valid. */
  async revoke(project: string, id: string, nowMs: number): Promise<boolean> {
    const query = this.state.db
      .updateTable('api_keys')
      .set({ revoked_ms: nowMs })
      .where('id', '=', id)
      .where('project', '=', project)
      .where('revoked_ms', 'is', null);
    // Where the answer is lost the key may be revoked all the same. The others may go on without the database.
    const done = await this.state
      .write([{ query: query.compile(), expect: 1 }, bump(this.state, 'keys')])
      .finally(() => this.forgetOne(project, id));
    return done.outcome === 'committed';
  }

  /** reload reads the valid keys anew and answers their ids: after a change elsewhere. */
  async reload(nowMs: number): Promise<ReadonlySet<string>> {
    this.forget();
    return new Set((await this.valid(nowMs)).keys());
  }

  /**
   * flushLastUsed writes when keys were last used, if any were since the last time; call it at intervals and before closing.
   * It rejects where that cannot be written, and keeps it for the next time.
   */
  async flushLastUsed(): Promise<void> {
    if (this.lastUsed.size === 0) return;
    // Every process writes in the same order: two that write at once wait for each other, and never both.
    const used = [...this.lastUsed].sort(([a], [b]) => (a < b ? -1 : 1));
    await this.state.write(
      used.map(([id, usedMs]) => ({ query: this.lastUse(id, usedMs) })),
      'lazy',
    );
    // A key that was used again meanwhile is written the next time.
    for (const [id, usedMs] of used) if (this.lastUsed.get(id) === usedMs) this.lastUsed.delete(id);
  }

  /** Another process may have written a later use of the same key. */
  private lastUse(id: string, usedMs: number): CompiledQuery {
    return this.state.db
      .updateTable('api_keys')
      .set({ last_used_ms: usedMs })
      .where('id', '=', id)
      .where((eb) => eb.or([eb('last_used_ms', 'is', null), eb('last_used_ms', '<', usedMs)]))
      .compile();
  }

  private forget(): void {
    this.cache = null;
    this.known = null;
    this.changes += 1;
  }

  private forgetOne(project: string, id: string): void {
    const { known } = this;
    this.forget();
    if (!known) return;
    const keys = new Map(known.keys);
    if (keys.get(id)?.identity.project === project) keys.delete(id);
    this.known = { ...known, keys };
  }

  private valid(nowMs: number): Promise<ReadonlyMap<string, CachedKey>> {
    // A wall clock that was set back must not keep a stale cache alive: any distance counts.
    if (this.cache && Math.abs(nowMs - this.loadedMs) <= REFRESH_MS) return this.cache;
    this.loadedMs = nowMs;
    const loading = this.load(nowMs);
    const { known } = this;
    const answer = known && Math.abs(nowMs - known.atMs) <= OUTAGE_MS ? unlessAway(loading, known.keys) : loading;
    this.cache = answer;
    const renew = (): void => {
      if (this.cache === answer) this.cache = loading;
    };
    loading.then(renew, () => undefined);
    answer.catch(() => {
      if (this.cache === answer) this.cache = null;
    });
    return answer;
  }

  private async load(nowMs: number): Promise<ReadonlyMap<string, CachedKey>> {
    const { changes } = this;
    const turn = ++this.turns;
    const rows = await this.state.db.selectFrom('api_keys').selectAll().where('revoked_ms', 'is', null).execute();
    const keys = new Map(rows.map((row) => [row.id, toCached(row)]));
    // Rows that were read before a change may hold what it revoked.
    if (this.changes === changes && turn > (this.known?.turn ?? 0)) this.known = { keys, atMs: nowMs, turn };
    return keys;
  }

  /**
   * lookFor asks for a key that another process may have made since. One question is on its way at a time, with every
   * id that came while the one before it was: however many wrong keys are tried, they cost one query after another.
   */
  private async lookFor(id: string): Promise<CachedKey | undefined> {
    if (this.wanted.size >= MOST_WANTED) return undefined;
    this.wanted.add(id);
    this.nextLook ??= this.looking.catch(() => undefined).then(() => this.lookForWanted());
    return (await this.nextLook).get(id);
  }

  private lookForWanted(): Promise<ReadonlyMap<string, CachedKey>> {
    const ids = [...this.wanted];
    this.wanted.clear();
    this.nextLook = null;
    const query = this.state.db.selectFrom('api_keys').selectAll().where('revoked_ms', 'is', null);
    const look = query
      .where('id', 'in', ids)
      .execute()
      .then((rows) => new Map(rows.map((row) => [row.id, toCached(row)])));
    this.looking = look;
    return look;
  }
}

/** unlessAway is what the database says, or what was known before while it is away or slow. */
async function unlessAway<T>(loading: Promise<T>, known: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(known), PATIENCE_MS);
  });
  const loaded = loading.catch((error: unknown) => {
    if (error instanceof StateUnavailableError) return known;
    throw error;
  });
  return Promise.race([loaded, late]).finally(() => clearTimeout(timer));
}

function toCached(row: Selectable<ApiKeysTable>): CachedKey {
  const { id, project, scopes } = toKey(row);
  return { identity: { project, keyId: id, scopes }, secretHash: row.secret_hash };
}

function toKey(row: Selectable<ApiKeysTable>): ApiKey {
  return {
    id: row.id,
    project: row.project,
    name: row.name,
    scopes: readTexts(row.scopes).filter(isScope),
    createdMs: row.created_ms,
    lastUsedMs: row.last_used_ms,
    revokedMs: row.revoked_ms,
  };
}

/** A scope that this version does not know opens nothing. */
function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}
