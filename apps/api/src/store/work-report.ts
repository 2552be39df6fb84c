import type { Logger } from 'pino';
import type { Telemetry } from '../platform/telemetry.js';
import type { WorkNote } from './tended-work.js';

/** createWorkReport counts the faults of the store's work in the background, and logs where an episode begins and ends. */
export function createWorkReport(log: Logger, telemetry: Telemetry): (note: WorkNote) => void {
  return (note) => {
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
