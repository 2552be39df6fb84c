import type { IdempotencyRecord } from './point-store.js';

/** What is remembered of answers here because the server may not have them yet: bytes in all, and of one. */
const RECORDS_BYTES = 16 * 1024 * 1024;
const LONGEST_KEPT = 2048;

/** RecordMemory remembers the newest answers to idempotent requests, as many as it has room for. */
export class RecordMemory {
  /** Oldest first. */
  private readonly records = new Map<string, IdempotencyRecord>();
  private bytes = 0;

  /** find answers what was remembered last under a key. */
  find(project: string, key: string): IdempotencyRecord | null {
    return this.records.get(nameOf(project, key)) ?? null;
  }

  /** remember takes an answer in, and lets the oldest go for it; one that is very long is left to the server. */
  remember(record: IdempotencyRecord): void {
    if (record.body.length > LONGEST_KEPT) return;
    const name = nameOf(record.project, record.key);
    this.forget(name);
    this.records.set(name, record);
    this.bytes += bytesOf(record);
    for (const oldest of this.records.keys()) {
      if (this.bytes <= RECORDS_BYTES) return;
      this.forget(oldest);
    }
  }

  private forget(name: string): void {
    const record = this.records.get(name);
    if (!record) return;
    this.records.delete(name);
    this.bytes -= bytesOf(record);
  }
}

function nameOf(project: string, key: string): string {
  return `${project.length}:${project}${key}`;
}

/** Texts take up to two bytes a character, and each record something besides. */
function bytesOf({ project, key, body }: IdempotencyRecord): number {
  return 400 + 2 * (2 * project.length + 2 * key.length + body.length);
}
