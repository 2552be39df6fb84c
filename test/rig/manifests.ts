import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { parseAllDocuments } from 'yaml';
import type { Json } from './client.js';

const FOLDER = new URL('../../deploy/kubernetes/', import.meta.url);
const require = createRequire(import.meta.url);

/** Manifest is one document of deploy/kubernetes, and the file it is in. */
export interface Manifest {
  readonly file: string;
  readonly document: Json;
}

/** readManifests reads all documents of deploy/kubernetes; YAML that is not valid, or names a key twice, throws. */
export async function readManifests(): Promise<Manifest[]> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml')).sort();
  const all = await Promise.all(
    files.map(async (file) => ({ file, text: await readFile(new URL(file, FOLDER), 'utf8') })),
  );
  return all.flatMap(({ file, text }) => {
    return parseAllDocuments(text, { uniqueKeys: true }).map((parsed) => {
      const [error] = parsed.errors;
      if (error) throw error;
      return { file, document: parsed.toJS() };
    });
  });
}

/**
 * schemaFaults holds a manifest against the schema that Kubernetes publishes of its kind, and lists what is wrong. The schemas let
 * unknown members pass, as the API server long did; what a validator never looked at is such a member, so it is listed too.
 */
export function schemaFaults(document: Json): string[] {
  const { apiVersion, kind } = document;
  const model: Json = require(`kubernetes-models/${apiVersion}`)[kind];
  if (model === undefined) return [`there is no ${apiVersion} ${kind}`];
  const seen = new Set<string>();
  try {
    model.prototype.validate.call(watched(document, '', seen));
  } catch (error) {
    return [String(error)];
  }
  return paths(document, '').filter((path) => !seen.has(path));
}

/** The same value, that notes in `seen` which of its members are read. */
function watched(value: Json, at: string, seen: Set<string>): Json {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name, receiver) {
      const member: Json = Reflect.get(target, name, receiver);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return member;
      seen.add(`${at}/${name}`);
      return watched(member, `${at}/${name}`, seen);
    },
  });
}

function paths(value: Json, at: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries<Json>(value).flatMap(([name, member]) => [`${at}/${name}`, ...paths(member, `${at}/${name}`)]);
}
