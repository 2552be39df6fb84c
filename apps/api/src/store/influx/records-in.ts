import type { IdempotencyRecord } from '../point-store.js';
import { RECORDS } from './names.js';
import { unescapeText } from './text-escape.js';

const LINE_FEED = 10;
const NS_DIGITS = 6;
const START = Buffer.from(`${RECORDS},`);
/** The fields as the encoder writes them: of what a text must not hold, only the quotation mark has a backslash. */
const LINE =
  /^[^ ]+ body="((?:[^"\\]|\\")*)",fingerprint="((?:[^"\\]|\\")*)",key="((?:[^"\\]|\\")*)",project="((?:[^"\\]|\\")*)",status=(\d+)i (\d+)$/;

/** recordsIn reads back the answers to idempotent requests among lines that BatchEncoder wrote. */
export function recordsIn(lines: Uint8Array): IdempotencyRecord[] {
  const records: IdempotencyRecord[] = [];
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  for (let at = bytes.indexOf(START); at !== -1; at = bytes.indexOf(START, at + 1)) {
    if (at > 0 && bytes[at - 1] !== LINE_FEED) continue;
    const end = bytes.indexOf(LINE_FEED, at);
    const record = parse(bytes.toString('utf8', at, end < 0 ? bytes.length : end));
    if (record) records.push(record);
  }
  return records;
}

function parse(line: string): IdempotencyRecord | null {
  const [, body, fingerprint, key, project, status, time] = LINE.exec(line) ?? [];
  if (body === undefined || fingerprint === undefined || key === undefined || project === undefined) return null;
  const text = (field: string): string => unescapeText(field.replaceAll('\\"', '"'));
  return {
    ...{ project: text(project), key: text(key), fingerprint: text(fingerprint), body: text(body) },
    status: Number(status),
    createdMs: Number(time?.slice(0, -NS_DIGITS)),
  };
}
