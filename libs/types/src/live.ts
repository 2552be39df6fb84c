import { type Static, Type } from '@sinclair/typebox';
import { MAX_ID_LENGTH, oneOf } from './metric.js';

/** LIVE_KINDS are what a client can follow. */
export const LIVE_KINDS = ['inference', 'drift', 'alert'] as const;
/** LiveKind is one thing to follow. */
export type LiveKind = (typeof LIVE_KINDS)[number];

/** LiveRequestSchema is what a client of the live feed may say. */
export const LiveRequestSchema = Type.Union(
  [
    Type.Object({
      type: Type.Literal('subscribe'),
      models: Type.Array(Type.String({ maxLength: MAX_ID_LENGTH }), { minItems: 1, maxItems: 1000 }),
      kinds: Type.Array(oneOf(LIVE_KINDS, 'What to follow.'), {
        minItems: 1,
        maxItems: LIVE_KINDS.length,
      }),
      since_seq: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    Type.Object({ type: Type.Literal('unsubscribe') }),
    Type.Object({ type: Type.Literal('ping') }),
  ],
  { title: 'LiveRequest' },
);
/** LiveRequest is what a client of the live feed may say. */
export type LiveRequest = Static<typeof LiveRequestSchema>;

/** LIVE_MAX_FRAME_BYTES is the largest frame that a client may send; past it the socket is closed with 1009. */
export const LIVE_MAX_FRAME_BYTES = 64 * 1024;
/** LIVE_MAX_MESSAGES_PER_SECOND is how often a client may speak; past it the socket is closed with 1008. */
export const LIVE_MAX_MESSAGES_PER_SECOND = 100;
