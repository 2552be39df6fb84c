/** SHELVES are where data of one lifetime lies each: a retention policy of 1.x, a bucket of 2.x, a database of 3. */
export const SHELVES = ['raw', 'minute', 'hour', 'meta'] as const;

/** Shelf is one of SHELVES. `meta` is kept for ever and stays small: marks and names. */
export type Shelf = (typeof SHELVES)[number];
