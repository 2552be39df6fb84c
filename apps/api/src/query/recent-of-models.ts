import { AHEAD_MS } from './queries.js';
import type { Point } from '../store/point-store.js';
import type { Read } from './read.js';

const BACK_MS = 24 * 3_600_000;
/** More models than this are read as one list: the newest of them all, rather than a few of each. */
const MODELS_READ_APART = 50;

/** RecentOfModels answers the newest points of some models of a project, or of all (null), newest first. */
export type RecentOfModels = (
  project: string,
  models: readonly string[] | null,
  limit: number,
) => Promise<readonly Point[]>;

/** createRecentOfModels reads the last 24 hours; each of the models named is heard, as far as there are not too many. */
export function createRecentOfModels(read: Read, wallMs: () => number): RecentOfModels {
  return async function recentOfModels(project, models, limit) {
    const nowMs = wallMs();
    const range = { project, sinceMs: nowMs - BACK_MS, untilMs: nowMs + AHEAD_MS };
    if (models === null) return (await read(range, limit)).items;
    const perModel = Math.max(1, Math.floor(limit / models.length));
    const asked = models.slice(0, MODELS_READ_APART);
    const pages = await Promise.all(asked.map((modelId) => read({ ...range, modelId }, perModel)));
    return pages.flatMap((page) => page.items).sort((a, b) => b.timestampMs - a.timestampMs || b.seq - a.seq);
  };
}
