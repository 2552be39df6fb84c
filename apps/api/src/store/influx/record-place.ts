import { createHash } from 'node:crypto';

const BUCKETS = 1024;

/** RecordName is by what a record is asked for. */
export interface RecordName {
  readonly project: string;
  readonly key: string;
}

/**
 * recordBucket is the tag under which a record lies. A tag of the key itself would make a series of every request; a
 * field alone would make each look-up read all records of a day.
 */
export function recordBucket(name: RecordName): string {
  return `${hashOf(name).readUInt32BE(0) % BUCKETS}`;
}

/** recordLow keeps records of one bucket and ms apart: the low digits of the timestamp, below a million. */
export function recordLow(name: RecordName): number {
  return hashOf(name).readUInt32BE(4) % 1_000_000;
}

function hashOf({ project, key }: RecordName): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([project, key]))
    .digest();
}
