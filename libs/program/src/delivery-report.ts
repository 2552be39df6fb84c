import type { QueueReport } from '@tidemark/delivery';
import type { Logger } from 'pino';
import { FaultEpisode } from './fault-episode.js';

/** DeliveryCounter counts attempts to deliver, by kind of channel and outcome. */
export interface DeliveryCounter {
  inc(labels: { readonly channel: string; readonly outcome: string }): void;
}

type Outcome = Extract<QueueReport, { kind: 'outcome' }>;

/** createDeliveryReport counts what became of every delivery, and logs what a person may have to look at. */
export function createDeliveryReport(
  log: Logger,
  deliveries: DeliveryCounter,
  kindOf: (channelId: string) => string,
): (report: QueueReport) => void {
  const words = {
    began: 'the delivery queue met a fault and goes on; it is told again when this is over',
    ended: 'the delivery queue works again',
  };
  const episodes = {
    claim: new FaultEpisode(log, words),
    deliver: new FaultEpisode(log, words),
    write: new FaultEpisode(log, words),
  };
  return (report) => {
    switch (report.kind) {
      case 'outcome': {
        const { delivery, status } = report;
        deliveries.inc({ channel: kindOf(delivery.channelId), outcome: status === 'pending' ? 'retry' : status });
        logOutcome(log, report);
        // What has an outcome was claimed and written; a retry may itself be the fault of a try, and proves nothing of it.
        episodes.claim.worked({ during: 'claim' });
        episodes.write.worked({ during: 'write' });
        if (status !== 'pending') episodes.deliver.worked({ during: 'deliver' });
        return;
      }
      case 'fault':
        episodes[report.during].failed(report.error, { during: report.during });
        return;
      case 'clock_set_back':
        log.warn({ byMs: report.byMs }, 'the wall clock was set back; waiting deliveries were moved with it');
    }
  };
}

function logOutcome(log: Logger, { delivery, outcome, status, durationMs }: Outcome): void {
  const reason = 'reason' in outcome ? outcome.reason : undefined;
  const detail = {
    delivery: delivery.id,
    channel: delivery.channelId,
    event: delivery.eventKind,
    ms: durationMs,
    reason,
  };
  if (status === 'dead') log.error(detail, 'a notification could not be delivered; it can be replayed');
  else if (status === 'pending')
    log.warn({ ...detail, attempt: delivery.attempts + 1 }, 'a delivery failed and will be tried again');
  else log.debug({ ...detail, status }, 'a delivery ended');
}
