import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SHOWN = 25;
/** A thread that is stopped for a while leaves one long gap: it was not busy in it. */
const MAX_SAMPLE_US = 20_000;
const MIN_BUSY_US = 1e6;

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** topFunctions shows, for each thread profiled into a folder, the functions that its time went into, without their callees. */
export function topFunctions(folder: string): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return files.map((name) => topOf(name, readProfile(join(folder, name)))).join('');
}

/** A thread that did next to nothing is left out. */
function topOf(name: string, profile: Profile): string {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, labelOf(callFrame)]));
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  profile.samples.forEach((id, i) => {
    const label = frames.get(id) ?? 'unknown';
    const us = Math.min(profile.timeDeltas[i] ?? 0, MAX_SAMPLE_US);
    if (label === '(idle)') return;
    totalUs += us;
    selfUs.set(label, (selfUs.get(label) ?? 0) + us);
  });
  if (totalUs < MIN_BUSY_US) return '';
  const lines = [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([label, us]) => `  ${((100 * us) / totalUs).toFixed(1).padStart(5)} %  ${label}`);
  return `${name}: busy for ${(totalUs / 1e6).toFixed(1)} s, of it\n${lines.join('\n')}\n\n`;
}

function labelOf({ functionName, url, lineNumber }: Frame): string {
  const place = url.replace(/^.*?\/(node_modules|apps|libs)\//, '$1/');
  return place === '' ? functionName || '(anonymous)' : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
}

function readProfile(file: string): Profile {
  const profile: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (isProfile(profile)) return profile;
  throw new Error(`${file} is not a processor profile`);
}

function isProfile(value: unknown): value is Profile {
  return typeof value === 'object' && value !== null && 'nodes' in value && 'samples' in value && 'timeDeltas' in value;
}
