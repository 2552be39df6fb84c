import { ERROR_CODES, type ItemFault, type Problem, type ProblemCode } from '@tidemark/types';

/** ProblemExtras are the parts of a problem that not every one has. */
export interface ProblemExtras {
  readonly errors?: readonly ItemFault[];
  /** Seconds, sent as Retry-After. */
  readonly retryAfterS?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** HttpProblem is thrown at the edge to answer with a problem document; `message` becomes its detail. */
export class HttpProblem extends Error {
  readonly errors: readonly ItemFault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ProblemCode,
    detail: string,
    extras: ProblemExtras = {},
  ) {
    super(detail, { cause: extras.cause });
    this.name = 'HttpProblem';
    this.errors = extras.errors;
    this.headers = {
      ...extras.headers,
      ...(extras.retryAfterS === undefined ? {} : { 'retry-after': String(Math.ceil(extras.retryAfterS)) }),
    };
  }

  /** status is the HTTP status of the code. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  /** document renders the problem for the request with this id. */
  document(requestId: string): Problem {
    return {
      type: `/docs/errors#${this.code}`,
      title: ERROR_CODES[this.code].title,
      status: this.status,
      detail: this.message,
      instance: `urn:request:${requestId}`,
      code: this.code,
      ...(this.errors ? { errors: this.errors } : {}),
    };
  }
}
