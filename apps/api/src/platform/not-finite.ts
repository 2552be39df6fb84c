import type { ItemFault } from '@tidemark/types';

/** notFinite is the fault of a number that is none: JSON may write 1e999, which reads as Infinity. null for any other value. */
export function notFinite(pointer: string, value: unknown): ItemFault | null {
  if (value !== Infinity && value !== -Infinity) return null;
  return { pointer, code: 'not_finite', message: 'is too large for a double' };
}
