import type { SqlRow, SqlValue } from '@tidemark/sqlite';

/** CommitStep is one compiled statement; `expect` is the number of rows it must touch for the batch to be kept. */
export interface CommitStep {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  readonly expect?: number;
}

/** StepResult is what one statement did: the rows it returned and how many it touched. */
export interface StepResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
}

/** CommitReply is the fate of one batch: kept whole, or undone whole for an unmet expectation or an error. */
export type CommitReply =
  | { readonly outcome: 'committed'; readonly results: readonly StepResult[] }
  | { readonly outcome: 'unmet'; readonly step: number }
  | { readonly outcome: 'failed'; readonly message: string; readonly code?: string };

/** CommitRequest is a group of independent batches that share one commit. */
export interface CommitRequest {
  readonly batches: readonly (readonly CommitStep[])[];
  /** True when a power cut may take the group back (never a crash of the process): the commit then skips its fsync. */
  readonly lazy: boolean;
}
