/**
 * findForbiddenName finds a member in a parsed JSON value whose name could reach a prototype, at any depth; null when
 * there is none. Bounded by the depth that findBoundsFault lets through.
 */
export function findForbiddenName(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const name of ['__proto__', 'constructor']) if (Object.hasOwn(value, name)) return name;
  for (const inner of Object.values(value)) {
    const found = findForbiddenName(inner);
    if (found !== null) return found;
  }
  return null;
}
