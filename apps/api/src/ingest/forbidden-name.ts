import { MAX_NAME_LENGTH } from '@tidemark/types';
import { pointerTo } from './json-pointer.js';

/** ForbiddenName is a name that could reach a prototype, and the JSON pointer to the member that has it. */
export interface ForbiddenName {
  readonly name: string;
  readonly pointer: string;
}

/**
 * findForbiddenName finds a member in a parsed JSON value whose name could reach a prototype, at any depth; null when
 * there is none. Bounded by the depth that findBoundsFault lets through.
 */
export function findForbiddenName(value: unknown): ForbiddenName | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const name of ['__proto__', 'constructor']) {
    if (Object.hasOwn(value, name)) return { name, pointer: pointerTo('', name) };
  }
  for (const [name, inner] of Object.entries(value)) {
    const found = findForbiddenName(inner);
    // A name on the way may be as long as the body; what is shown of it is not.
    if (found) return { ...found, pointer: pointerTo('', name.slice(0, MAX_NAME_LENGTH)) + found.pointer };
  }
  return null;
}
