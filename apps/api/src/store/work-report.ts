import type { Logger } from 'pino';
import type { Telemetry } from '../platform/telemetry.js';
import type { WorkNote } from './tended-work.js';

/** createWorkReport counts what goes wrong in the store's background, and logs what is damaged and where episodes of faults begin and end. */
export function createWorkReport(log: Logger, telemetry: Telemetry): (note: WorkNote) => void {
  return (note) => {
    if (note.kind === 'damaged') {
      telemetry.storeDamaged.inc({ what: note.what }, note.count);
      if (note.what === 'rollup') log.error({ rollups: note.count }, 'stored rollups cannot be read and begin anew');
      else {
        const { points, message } = note;
        log.error(
          { points, reason: message },
          'a stored batch cannot be read; it is kept in the table damaged_commits',
        );
      }
      return;
    }
    const { work } = note;
    if (note.kind === 'healed') {
      log.info({ work, failures: note.failures }, 'the store catches up again with its work in the background');
      return;
    }
    telemetry.storeWorkFaults.inc({ work });
    if (!note.isFirst) return;
    const { code, message } = note;
    log.warn({ work, code, reason: message }, 'work in the background of the store fails and is tried again every 5 s');
  };
}
