import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** nestLog lets Nest write into the process's logger; what Nest says at start-up is detail. */
export function nestLog(log: Logger): LoggerService {
  return {
    log: (message: unknown) => log.debug({ from: 'nest' }, String(message)),
    debug: (message: unknown) => log.debug({ from: 'nest' }, String(message)),
    verbose: (message: unknown) => log.debug({ from: 'nest' }, String(message)),
    warn: (message: unknown) => log.warn({ from: 'nest' }, String(message)),
    error: (message: unknown, stack?: unknown) => log.error({ from: 'nest', stack }, String(message)),
    fatal: (message: unknown) => log.error({ from: 'nest' }, String(message)),
  };
}
