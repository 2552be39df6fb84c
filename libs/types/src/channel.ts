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
