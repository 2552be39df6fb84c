/**
 * Shelf is where data of one lifetime lies: a retention policy of 1.x, a bucket of 2.x, a database of 3.
 * `meta` is kept for ever and stays small: marks and names.
 */
export type Shelf = 'raw' | 'minute' | 'hour' | 'meta';
