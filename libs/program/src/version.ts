import { readFileSync } from 'node:fs';

/** versionOf reads the version in a package.json; `unknown` where it has none. */
export function versionOf(manifest: URL): string {
  const parsed: unknown = JSON.parse(readFileSync(manifest, 'utf8'));
  const version: unknown = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : null;
  return typeof version === 'string' ? version : 'unknown';
}
