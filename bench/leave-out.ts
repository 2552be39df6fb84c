import type { Program } from '@tidemark/servers';
import type { Figure } from './figure.js';

/** leaveOut says why a figure cannot be measured here, null when it can; `missing` says what to install. */
export function leaveOut(
  { needs = [] }: Pick<Figure, 'needs'>,
  missing: (...programs: readonly Program[]) => string | null,
): string | null {
  const advice = needs.length === 0 ? null : missing(...needs);
  return advice === null ? null : `not all of its servers are installed here; ${advice}`;
}
