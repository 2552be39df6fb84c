/** SpoolFault says that a batch could not be kept: nothing of it is acknowledged, and it may be sent again. */
export class SpoolFault extends Error {
  constructor(
    /** `SPOOL_FULL`, `SPOOL_CLOSED`, or what the system calls its fault: `ENOSPC`, `EIO`. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SpoolFault';
  }
}

/** diskFault makes a SpoolFault of what the system threw. */
export function diskFault(cause: unknown): SpoolFault {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'SPOOL_DISK';
  return new SpoolFault(code, `the disk did not take a batch into the spool (${code})`, { cause });
}
