/** PENDING_HEADER says of an answer how many acknowledged points it may lack, because the server of points has not got them yet. */
export const PENDING_HEADER = 'x-tidemark-pending-points';

/** pendingHeaders are the headers of an answer over points; none while nothing waits. */
export function pendingHeaders(points: number): Readonly<Record<string, string>> {
  return points > 0 ? { [PENDING_HEADER]: String(points) } : {};
}
