import type { Logger } from 'pino';
import type { LateReport } from './late-report.js';

const MEANWHILE = 'points wait in the spool and none can be read until then';

/** createLateLog logs how it is with a server of points that was not there at the start. */
export function createLateLog(log: Logger): (report: LateReport) => void {
  return (report) => {
    switch (report.kind) {
      case 'away':
        log.warn({ reason: report.fault.message }, `InfluxDB does not answer yet; ${MEANWHILE}`);
        return;
      case 'unauthorized':
        log.error(
          { reason: report.fault.message },
          `InfluxDB refuses INFLUXDB_TOKEN; it is tried again until it is right there; ${MEANWHILE}`,
        );
        return;
      case 'refused':
        log.error({ err: report.fault }, `InfluxDB cannot be used as it is; it is tried again; ${MEANWHILE}`);
        return;
      case 'open':
        log.info({ awayMs: Math.round(report.awayMs) }, 'InfluxDB is there; what waits is brought to it');
    }
  };
}
