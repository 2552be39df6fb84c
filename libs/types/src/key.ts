import { type Static, Type } from '@sinclair/typebox';
import { oneOf } from './metric.js';

/** SCOPES are what a key may do: `admin` includes the others. */
export const SCOPES = ['read', 'write', 'admin'] as const;
/** Scope is one thing that a key may do. */
export type Scope = (typeof SCOPES)[number];

/** KeySchema is an API key as it is listed; the secret is shown only in the answer that makes it. */
export const KeySchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    project: Type.String(),
    scopes: Type.Array(oneOf(SCOPES, 'What the key may do.')),
    created_at: Type.String({ format: 'date-time' }),
    last_used_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  },
  { title: 'Key' },
);
/** Key is an API key as it is listed. */
export type Key = Static<typeof KeySchema>;
