import type { Logger } from 'pino';
import type { StoreFault } from '../store-fault.js';
import type { SpoolReport } from './spool-report.js';

/** createSpoolLog logs what a person may have to look at. What a server says about points is left out: it quotes them. */
export function createSpoolLog(log: Logger): (report: SpoolReport) => void {
  return (report) => {
    switch (report.kind) {
      case 'away':
        logFault(log, report.fault);
        return;
      case 'back':
        log.info(
          { points: report.drainedPoints, awayMs: Math.round(report.awayMs) },
          'the point server is back and has everything that waited',
        );
        return;
      case 'dead_letters':
        logDeadLetters(log, report);
        return;
      case 'torn':
        log.warn({ segment: report.segment, frames: report.frames }, 'batches in the spool are cut or altered');
        return;
      case 'disk_fault':
        log.error({ err: report.error }, 'the disk of the spool does not answer; draining is tried again');
    }
  };
}

/** They were acknowledged: which of them are nowhere any more has to be told apart from what a person can still look at. */
function logDeadLetters(log: Logger, report: Extract<SpoolReport, { kind: 'dead_letters' }>): void {
  const { lines, reason, forgottenLines, error } = report;
  if (forgottenLines === 0) {
    log.error({ lines, reason }, 'the point server will never take some lines; they are in dead-letter.ndjson');
    return;
  }
  log.error(
    { lines, reason, forgottenLines, err: error },
    'the point server will never take some lines, and dead-letter.ndjson could not keep all of them',
  );
}

function logFault(log: Logger, fault: StoreFault): void {
  switch (fault.kind) {
    case 'unauthorized':
      log.error(
        { reason: fault.message },
        'the point server refuses the token; points wait in the spool until it is right',
      );
      return;
    case 'refused':
      log.error({ err: fault }, 'the point server gives an answer that nobody knows; points wait in the spool');
      return;
    case 'bad_points':
    case 'too_large':
      log.warn({ fault: fault.kind }, 'the point server does not take a batch; it is sent again in parts');
      return;
    case 'unreachable':
    case 'timeout':
    case 'overloaded':
      log.warn({ fault: fault.kind, reason: fault.message }, 'the point server is away; points wait in the spool');
  }
}
