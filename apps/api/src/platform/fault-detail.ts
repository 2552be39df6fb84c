/**
 * faultDetail is the `detail` of a problem with faults: the first in full, and how many others there are. `place` is where
 * the first is, in words that stand before its message.
 */
export function faultDetail(place: string, message: string, faults: number): string {
  const others = faults - 1;
  if (others <= 0) return `${place} ${message}`;
  return `${place} ${message}, and ${others} more ${others === 1 ? 'fault' : 'faults'}, see errors`;
}
