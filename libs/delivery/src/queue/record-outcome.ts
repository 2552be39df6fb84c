import type { AttemptEnd, ChannelRate, Claim, Delivery, MarkOutcome, Outbox } from '@tidemark/state';
import type { DeliveryOutcome } from '../deliver.js';
import { nextAttempt } from './schedule.js';

/** Verdict is what the ledger is to say of a try. */
export type Verdict =
  | { readonly status: 'delivered'; readonly detail: string | null }
  | { readonly status: 'pending'; readonly detail: string; readonly dueMs: number }
  | {
      readonly status: 'suppressed';
      readonly detail: string;
      readonly releaseMs: number;
      readonly channelLimit: ChannelRate | null;
    }
  | { readonly status: 'dead'; readonly detail: string };

/** judgeOutcome decides what becomes of a delivery after a try that ended at `nowMs` (wall clock); `random` is in 0..1. */
export function judgeOutcome(
  delivery: Pick<Delivery, 'attempts' | 'scheduledMs'>,
  outcome: Exclude<DeliveryOutcome, { kind: 'postponed' }>,
  { nowMs, random }: { readonly nowMs: number; readonly random: number },
): Verdict {
  switch (outcome.kind) {
    case 'sent':
      return { status: 'delivered', detail: outcome.detail ?? null };
    case 'suppressed': {
      const { reason, releaseAfterMs, channelLimit } = outcome;
      return { status: 'suppressed', detail: reason, releaseMs: nowMs + releaseAfterMs, channelLimit };
    }
    case 'reject':
      return { status: 'dead', detail: outcome.reason };
    case 'retry': {
      const question = { attempts: delivery.attempts + 1, ageMs: nowMs - delivery.scheduledMs, random };
      const answer = nextAttempt({
        ...question,
        ...(outcome.afterMs === undefined ? {} : { afterMs: outcome.afterMs }),
      });
      if (answer.kind === 'dead') return { status: 'dead', detail: `given up: ${outcome.reason}` };
      return { status: 'pending', detail: outcome.reason, dueMs: nowMs + answer.delayMs };
    }
  }
}

/** Marker is the part of the ledger that verdicts are written to. */
export type Marker = Pick<Outbox, 'markDelivered' | 'markRetry' | 'markDead' | 'markSuppressed'>;

/**
 * recordVerdict writes a verdict to the ledger; a refusal means that somebody else ended or claimed the delivery
 * meanwhile, and that it is no longer this one's to tell of. Rejects where the write fails; it may then be written again.
 */
export async function recordVerdict(
  ledger: Marker,
  delivery: Pick<Delivery, 'id' | 'project' | 'channelId' | 'modelId'>,
  verdict: Verdict,
  { atMs, durationMs, claim }: Omit<AttemptEnd, 'detail'> & { readonly claim?: Claim | undefined },
): Promise<MarkOutcome> {
  const { id, project, channelId, modelId } = delivery;
  const done = { atMs, durationMs, detail: verdict.detail };
  switch (verdict.status) {
    case 'delivered':
      return ledger.markDelivered(id, done, claim);
    case 'pending':
      return ledger.markRetry(id, { ...done, dueMs: verdict.dueMs }, claim);
    case 'dead':
      return ledger.markDead(id, done, claim);
    case 'suppressed': {
      const { detail, releaseMs, channelLimit } = verdict;
      const held = { reason: detail, atMs, releaseMs, byChannel: channelLimit !== null };
      return ledger.markSuppressed({ id, project, channelId, modelId }, held, claim);
    }
  }
}
