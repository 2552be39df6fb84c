import { type Static, Type } from '@sinclair/typebox';
import { oneOf } from './metric.js';

/** CHANNEL_KINDS are the ways to reach people. */
export const CHANNEL_KINDS = ['email', 'slack', 'webhook'] as const;
/** ChannelKind is one way to reach people. */
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** ChannelSchema is a channel as it is read back: what is secret of it is never shown. */
export const ChannelSchema = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    kind: oneOf(CHANNEL_KINDS, 'How people are reached.'),
    enabled: Type.Boolean(),
    disabled_reason: Type.Union([Type.String(), Type.Null()]),
    target: Type.String({ description: 'Where it goes, without secrets: the recipients, or the host of the URL.' }),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' }),
  },
  { title: 'Channel' },
);
/** Channel is a channel as it is read back. */
export type Channel = Static<typeof ChannelSchema>;

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
