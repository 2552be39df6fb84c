import type { QueueReport } from '@tidemark/delivery';
import type { Logger } from 'pino';

/** DeliveryCounter counts attempts to deliver, by kind of channel and outcome. */
export interface DeliveryCounter {
  inc(labels: { readonly channel: string; readonly outcome: string }): void;
}

/** createDeliveryReport counts what became of every delivery, and logs what a person may have to look at. */
export function createDeliveryReport(
  log: Logger,
  deliveries: DeliveryCounter,
  kindOf: (channelId: string) => string,
): (report: QueueReport) => void {
  return (report) => {
    switch (report.kind) {
      case 'outcome': {
        const { delivery, outcome, status, durationMs } = report;
        deliveries.inc({
          channel: kindOf(delivery.channelId),
          outcome: status === 'pending' ? 'retry' : status,
        });
        const detail = {
          delivery: delivery.id,
          channel: delivery.channelId,
          event: delivery.eventKind,
          ms: durationMs,
        };
        const reason = 'reason' in outcome ? outcome.reason : undefined;
        if (status === 'dead')
          log.error({ ...detail, reason }, 'a notification could not be delivered; it can be replayed');
        else if (status === 'pending')
          log.warn({ ...detail, reason, attempt: delivery.attempts + 1 }, 'a delivery failed and will be tried again');
        else log.debug({ ...detail, reason, status }, 'a delivery ended');
        return;
      }
      case 'fault':
        log.error({ during: report.during, err: report.error }, 'the delivery queue met a fault and goes on');
        return;
      case 'clock_set_back':
        log.warn({ byMs: report.byMs }, 'the wall clock was set back; waiting deliveries were moved with it');
    }
  };
}
