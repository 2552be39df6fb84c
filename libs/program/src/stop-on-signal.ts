import type { Logger } from 'pino';
import { systemClock } from './clock.js';

const REPEATED_SIGNAL_MS = 1000;

/**
 * stopOnSignal ends the process in an orderly way on SIGINT, SIGTERM and SIGHUP: exit code 0 when `stop` resolved, 1 when
 * it did not, 130 when somebody presses Ctrl-C again. A terminal that was closed takes no more lines, which must not end
 * the process before it has stopped.
 */
export function stopOnSignal(log: Logger, stop: () => Promise<void>): void {
  let stoppingSince: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    // npm, shells and supervisors repeat a signal; a person who presses Ctrl-C again means it.
    if (stoppingSince !== null) {
      if (systemClock.steadyMs() - stoppingSince > REPEATED_SIGNAL_MS) process.exit(130);
      return;
    }
    stoppingSince = systemClock.steadyMs();
    log.info({ signal }, 'stopping: finishing what was begun');
    stop().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
