import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel } from './shared-settings.js';

/** createLog makes the process's logger: one readable line a record on a terminal, JSON otherwise. */
export function createLog(level: LogLevel, isTerminal: boolean): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (!isTerminal) return pino(options);
  return pino(
    options,
    pretty({ colorize: true, translateTime: 'SYS:HH:MM:ss', ignore: 'requestId', singleLine: true, sync: true }),
  );
}
