import type { LoggerService } from '@nestjs/common';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from '../config.js';

/** createLog makes the process's logger: one readable line a record on a terminal, JSON otherwise. */
export function createLog(level: LogLevel, isTerminal: boolean): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!isTerminal) return pino(options);
  return pino(
    options,
    pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'requestId', singleLine: true, sync: true }),
  );
}

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
