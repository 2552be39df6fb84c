import type { Claim, Delivery, Outbox } from '@tidemark/state';
import { deliver, type DeliverDeps, type DeliveryOutcome } from '../deliver.js';
import type { QueueReport } from './delivery-queue.js';
import { judgeOutcome, recordVerdict, type Verdict } from './record-outcome.js';

/** CarrierOptions are what a queue needs to carry deliveries. */
export interface CarrierOptions {
  readonly outbox: Outbox;
  readonly deliver: Omit<DeliverDeps, 'ledger' | 'onFault'>;
  /** disable stops a channel whose receiver said that it is gone. */
  readonly disable: (project: string, channelId: string, change: { reason: string; nowMs: number }) => Promise<void>;
  /** The wall clock, and one that only goes forward. */
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
  /** In 0..1, as Math.random. */
  readonly random: () => number;
  readonly report: (report: QueueReport) => void;
  /** Wait before the ledger is tried again after it failed, default 1000 ms. */
  readonly faultDelayMs?: number;
}

/** CarrierLife is how a carrier learns that its queue stops. */
export interface CarrierLife {
  readonly signal: AbortSignal;
  /** Waits, and answers whether the queue is still working. */
  readonly pause: (ms: number) => Promise<boolean>;
}

type Suppression = Extract<Verdict, { status: 'suppressed' }>;

/** Carrier brings a claimed delivery to its channel and writes into the ledger what became of it. */
export class Carrier {
  constructor(
    private readonly options: CarrierOptions,
    private readonly life: CarrierLife,
  ) {}

  /** attempt makes one try; it never rejects. */
  async attempt(delivery: Delivery): Promise<{ readonly outcome: DeliveryOutcome; readonly durationMs: number }> {
    const { outbox, deliver: deps, steadyMs, report } = this.options;
    const startedMs = steadyMs();
    const onFault = (error: unknown): void => report({ kind: 'fault', during: 'deliver', error });
    const outcome = await deliver(delivery, { ...deps, ledger: outbox, onFault }, this.life.signal).catch(
      (error: unknown): DeliveryOutcome => {
        onFault(error);
        return { kind: 'retry', reason: 'a fault of the platform itself, see its log' };
      },
    );
    return { outcome, durationMs: Math.round(steadyMs() - startedMs) };
  }

  /** settle writes how a try ended, under the claim if there is one, and tells of it if it was still this one's to end. */
  async settle(
    delivery: Delivery,
    outcome: Exclude<DeliveryOutcome, { kind: 'postponed' }>,
    { durationMs, claim }: { readonly durationMs: number; readonly claim?: Claim },
  ): Promise<void> {
    const { wallMs, random, report, disable } = this.options;
    const nowMs = wallMs();
    const verdict = judgeOutcome(delivery, outcome, { nowMs, random: random() });
    if (!(await this.record(delivery, verdict, { atMs: nowMs, durationMs, claim }))) return;
    report({ kind: 'outcome', delivery, outcome, status: verdict.status, durationMs });
    if (verdict.status === 'suppressed') await this.delayRest(delivery, verdict, nowMs);
    if (outcome.kind === 'reject' && outcome.disableChannel === true) {
      await disable(delivery.project, delivery.channelId, { reason: outcome.reason, nowMs });
    }
  }

  /** What else is due on a channel that refused this one would be refused, too. Not tried again: each ask does it anew. */
  private async delayRest(delivery: Delivery, { channelLimit, releaseMs }: Suppression, nowMs: number): Promise<void> {
    if (channelLimit === null) return;
    const { outbox, report } = this.options;
    await outbox
      .delayReleases(delivery, { nowMs, untilMs: releaseMs, ...channelLimit })
      .catch((error: unknown) => report({ kind: 'fault', during: 'write', error }));
  }

  /**
   * Writes until it is written: a delivery that went out must not go out again because the disk was full for a moment.
   * Answers whether this try is the one that counts.
   */
  private async record(
    delivery: Delivery,
    verdict: Verdict,
    done: { readonly atMs: number; readonly durationMs: number; readonly claim: Claim | undefined },
  ): Promise<boolean> {
    const { outbox, report, faultDelayMs = 1000 } = this.options;
    let mayBeWritten = false;
    for (;;) {
      try {
        const mark = await recordVerdict(outbox, delivery, verdict, done);
        // A write whose answer was lost may have been made: under the same claim nobody else can have ended the delivery.
        return mark.outcome === 'marked' || (mayBeWritten && mark.code === 'not_sending');
      } catch (error) {
        mayBeWritten = true;
        report({ kind: 'fault', during: 'write', error });
        if (!(await this.life.pause(faultDelayMs))) return false;
      }
    }
  }
}
