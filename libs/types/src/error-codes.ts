/** ErrorCode describes one kind of problem: its status, its title and what to do about it. */
export interface ErrorCode {
  readonly status: number;
  readonly title: string;
  readonly help: string;
}

/** ERROR_CODES are all problems that an answer can name in `code`; docs/errors.md is generated from them. */
export const ERROR_CODES = {
  malformed_body: {
    status: 400,
    title: 'The body cannot be read',
    help: 'The body is not valid JSON, NDJSON or gzip, or holds a forbidden name such as `__proto__`; within an item of a batch such a name has only the item rejected, as `reserved_name`. `detail` says what.',
  },
  malformed_request: {
    status: 400,
    title: 'The request is not HTTP',
    help: 'Its first line or a header cannot be read, its method is none that is known, or it names no Host. `detail` says which; the connection is closed.',
  },
  too_deep: {
    status: 400,
    title: 'The body is nested too deeply',
    help: 'Send objects nested at most 32 deep. An item of a batch may be as deep, and is rejected alone where it is deeper.',
  },
  too_many_keys: {
    status: 400,
    title: 'An object has too many members',
    help: 'Send at most 256 members an object. An item of a batch that has more is rejected alone.',
  },
  invalid_query: {
    status: 422,
    title: 'A query parameter is not valid',
    help: '`errors` names each parameter and its range; one that the route does not have with what was probably meant.',
  },
  answer_too_large: {
    status: 422,
    title: 'The answer would be too large',
    help: 'An aggregate has at most 100,000 values (groups × windows × metrics, and the tags that name each group), 25,000 where several groups have percentiles, and 10,000 groups. Take a longer `window`, less time, one `metric`, one `model_id` or fewer names in `group_by`; `detail` says what was asked for.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid key is needed',
    help: 'Send `Authorization: Bearer <key>` or `X-API-Key: <key>`. Make a key with `npm run keys -- create`.',
  },
  forbidden: { status: 403, title: 'The key may not do this', help: 'Use a key with the scope that `detail` names.' },
  bad_host: {
    status: 403,
    title: 'The Host or Origin is not allowed',
    help: 'Without keys only loopback names are served, which keeps web pages from reaching your metrics. Create a key, or list the origin in TIDEMARK_ALLOWED_ORIGINS.',
  },
  proxied: {
    status: 403,
    title: 'Without a key no proxy is served',
    help: 'While no key exists only programs of this machine are served, and a proxy that does not say in `X-Forwarded-For` that it speaks for one may speak for anyone. Make a key with `npm run keys -- create` and send it.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    help: 'Check the id and the path; /docs lists every route.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The path does not take this method',
    help: 'The `Allow` header lists those it takes.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    help: 'The headers must be there within 10 s, the whole request within 12 s. Send smaller bodies over a slow line.',
  },
  conflict: {
    status: 409,
    title: 'The state does not allow this',
    help: '`detail` says which state stands in the way.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'A request with this Idempotency-Key is being handled',
    help: 'Repeat it after the time in `Retry-After`. If the instance that handled it died, a repeat is taken 30 s after its claim at the latest.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    help: 'A batch may have 16 MB after decompression and 10,000 items, any other body 1 MB. Split it.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type or encoding is not supported',
    help: 'Send `application/json` (or `application/x-ndjson` to a batch route), plain or with `Content-Encoding: gzip`.',
  },
  validation_failed: {
    status: 422,
    title: 'The request is not valid',
    help: '`errors` names each fault with a JSON pointer.',
  },
  idempotency_mismatch: {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
    help: 'Use a new key for each new request body.',
  },
  series_limit: {
    status: 429,
    title: 'The project has too many active series',
    help: 'A tag holds too many different values (an id, perhaps). Remove it, or raise TIDEMARK_MAX_SERIES. Series that exist go on.',
  },
  upgrade_required: {
    status: 426,
    title: 'This is a WebSocket',
    help: 'Open it with a WebSocket client: `ws://` or `wss://` in place of `http://` or `https://`. docs/api.md says what is spoken over it.',
  },
  headers_too_large: {
    status: 431,
    title: 'The headers are too large',
    help: 'The request line and all headers together may have 16 KB.',
  },
  rate_limited: {
    status: 429,
    title: 'The key sends too many requests',
    help: 'Wait for `Retry-After` seconds, or send batches.',
  },
  internal: {
    status: 500,
    title: 'Tidemark failed',
    help: 'This is a defect. The log has the cause under the request id in `instance`.',
  },
  overloaded: {
    status: 503,
    title: 'More arrives than can be stored',
    help: 'Nothing of the request was stored. Repeat it after `Retry-After` seconds.',
  },
  storage_unavailable: {
    status: 503,
    title: 'A store does not answer now',
    help: 'A disk may be full or failing, or a database away; the log says. Nothing was stored. Repeat after `Retry-After` seconds.',
  },
  draining: { status: 503, title: 'The server is stopping', help: 'Repeat the request after `Retry-After` seconds.' },
  unavailable: {
    status: 503,
    title: 'No instance can be reached',
    help: 'Said by the proxy in front. Nothing of the request was done. Repeat it after `Retry-After` seconds.',
  },
  unanswered: {
    status: 502,
    title: 'An instance was lost before it answered',
    help: 'Said by the proxy in front. The request may have been carried out: repeat a POST with its `Idempotency-Key`.',
  },
  answer_timeout: {
    status: 504,
    title: 'An instance took too long to answer',
    help: 'Said by the proxy in front. The request may have been carried out: repeat a POST with its `Idempotency-Key`.',
  },
} as const satisfies Record<string, ErrorCode>;

/** ProblemCode is the `code` of a problem answer. */
export type ProblemCode = keyof typeof ERROR_CODES;

/** ITEM_CODES are the codes of single faults, in `errors` and in the `rejected` of a batch. */
export const ITEM_CODES = {
  required: 'A required member is missing.',
  type: 'The value has the wrong type.',
  range: 'The number is outside its range.',
  enum: 'The value is not one of those allowed.',
  length: 'The text or list is too short or too long.',
  format: 'The text does not have the expected form.',
  too_many: 'There are too many members.',
  unknown_member: 'The member or query parameter is not known.',
  not_finite: 'The number is not finite or too large for a double.',
  not_exact: 'The integer would come back as another: no double is equal to it or written like it.',
  bad_text: 'The text holds a control character or half of a surrogate pair.',
  reserved_name: 'The name is reserved.',
  timestamp_format: 'The timestamp is neither RFC 3339 nor epoch milliseconds.',
  timestamp_future: 'The timestamp is more than 10 minutes in the future.',
  timestamp_too_old: 'The timestamp is older than the retention of raw metrics.',
  series_limit: 'The metric would open a series past the limit of the project.',
  malformed_body: 'The line is not valid JSON.',
  too_deep: 'The item of the batch is nested more than 32 deep.',
  too_many_keys: 'An object of the item of the batch has more than 256 members.',
} as const;

/** ItemCode is the code of one fault in a request. */
export type ItemCode = keyof typeof ITEM_CODES;

/** ItemFault is one fault in a request: a JSON pointer (RFC 6901) to the place, a code and a sentence. */
export interface ItemFault {
  readonly pointer: string;
  readonly code: ItemCode;
  readonly message: string;
}

/** RejectedItem is one fault of a batch: the item's index, and the pointer inside the item. */
export interface RejectedItem extends ItemFault {
  readonly index: number;
}

/** Problem is an error answer (RFC 9457, application/problem+json). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ProblemCode;
  readonly errors?: readonly ItemFault[];
}
