import type { Answer } from './idempotency.js';

/** FlightOutcome is what the instances together know of an idempotent request. */
export type FlightOutcome =
  /** It is this caller's to do. `land` ends that: with the answer, or with null where there is none to give again. */
  | { readonly kind: 'taken'; land(answer: Answer | null): Promise<void> }
  /** Another is doing it now. */
  | { readonly kind: 'busy'; readonly fingerprint: string }
  /** It was done. */
  | { readonly kind: 'landed'; readonly fingerprint: string; readonly answer: Answer };

/** SharedFlights keep two instances from storing one idempotent request at once. The lasting record is the point store's. */
export interface SharedFlights {
  /** take never rejects: where the instances cannot agree, each goes by what it and the store know. */
  take(id: string, fingerprint: string): Promise<FlightOutcome>;
}
