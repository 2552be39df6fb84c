/** StateUnavailableError says that the database cannot be asked now; what was asked for may be asked again. */
export class StateUnavailableError extends Error {
  readonly code = 'STATE_UNAVAILABLE';

  constructor(cause: unknown) {
    super(`PostgreSQL does not answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
