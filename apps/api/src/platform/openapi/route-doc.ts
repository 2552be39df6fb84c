import type { TObject, TSchema } from '@sinclair/typebox';
import type { ProblemCode } from '@tidemark/types';

/** RouteDoc describes one route for the people who call it. */
export interface RouteDoc {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As registered, with `:name` for a parameter. */
  readonly path: string;
  /** A verb and a noun, which clients that are generated name their functions by: it never changes. */
  readonly operationId: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly query?: TObject;
  readonly body?: BodyDoc;
  /** Headers that the route looks at. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: AnswerDoc;
  /** Other answers than the usual one, by status; what is said here stands in front of the problems of that status. */
  readonly others?: Readonly<Record<number, OtherAnswerDoc>>;
  readonly problems?: readonly ProblemCode[];
}

/** BodyDoc describes a request body. */
export interface BodyDoc {
  readonly schema: TSchema;
  readonly example: unknown;
  /** Other media types than JSON. */
  readonly alsoAs?: readonly string[];
}

/** AnswerDoc describes a successful answer. */
export interface AnswerDoc {
  readonly status: number;
  readonly description: string;
  readonly schema?: TSchema;
  readonly example?: unknown;
  readonly mediaType?: string;
  /** Headers that the answer may carry, with what each says. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** OtherAnswerDoc describes an answer that is neither the usual one nor a problem. */
export type OtherAnswerDoc = Omit<AnswerDoc, 'status'>;

/**
 * isStrict tells whether a route refuses query parameters that its description does not have: all do below /api/v1 but
 * health, which probes ask with whatever keeps caches away.
 */
export function isStrict({ path, tag }: RouteDoc): boolean {
  return path.startsWith('/api/v1/') && tag !== 'Platform';
}

/** Tag groups routes. */
export type Tag = 'Metrics' | 'Models' | 'Alerts' | 'Channels' | 'Deliveries' | 'Live' | 'Keys' | 'Platform';
