import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from './identity.js';

const FORM = /^tm_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** NOBODY is compared with when there is no such key, so that an unknown id costs what a wrong secret costs. */
const NOBODY = Buffer.alloc(32);

/** PresentedKey is a key as its holder shows it, taken apart. */
export interface PresentedKey {
  readonly id: string;
  readonly secret: string;
}

/** makeKey makes a key `tm_<id>_<secret>`: 64 random bits as hex, 256 random bits as base64url. */
export function makeKey(random: Random): PresentedKey & { readonly text: string } {
  const id = Buffer.from(random(8)).toString('hex');
  const secret = Buffer.from(random(32)).toString('base64url');
  return { id, secret, text: `tm_${id}_${secret}` };
}

/** parseKey takes a presented key apart, or answers null for anything of another form. */
export function parseKey(presented: string): PresentedKey | null {
  const [, id, secret] = FORM.exec(presented) ?? [];
  return id && secret ? { id, secret } : null;
}

/** hashSecret answers the SHA-256 of a secret as hex: with 256 random bits, salt and stretching would add nothing. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** matches compares a presented secret with a stored hash in constant time; a null hash never matches. */
export function matches(secret: string, storedHash: string | null): boolean {
  const presented = Buffer.from(hashSecret(secret), 'hex');
  const stored = storedHash === null ? NOBODY : Buffer.from(storedHash, 'hex');
  return timingSafeEqual(presented, stored) && storedHash !== null;
}
