/** isRecord tells whether `value` is an object whose members can be looked at. */
export function isRecord(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}
