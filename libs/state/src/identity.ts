import { createHash } from 'node:crypto';

/** Random returns that many random bytes; `crypto.randomBytes` is one. */
export type Random = (bytes: number) => Uint8Array;

/** newId makes an id of 128 random bits as 32 hex characters, safe in URLs, headers and file names. */
export function newId(random: Random): string {
  return Buffer.from(random(16)).toString('hex');
}

/** EventIdentity is what makes an alert's event the one it is; reminders and other repeatable events add an ordinal. */
export interface EventIdentity {
  readonly project: string;
  readonly modelId: string;
  readonly rule: string;
  readonly incident: number;
  readonly event: string;
  readonly severity: string;
  readonly ordinal?: number;
}

/** eventId derives the id of an event from what it is, so that the same event is never two: 32 hex characters. */
export function eventId(identity: EventIdentity): string {
  const { project, modelId, rule, incident, event, severity, ordinal = 0 } = identity;
  return digest([project, modelId, rule, incident, event, severity, ordinal]);
}

/** deliveryId derives the id of the delivery of an event to a channel: 32 hex characters. */
export function deliveryId(event: string, channelId: string): string {
  return digest([event, channelId]);
}

/** The JSON of an array keeps the parts apart whatever they contain. */
function digest(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
