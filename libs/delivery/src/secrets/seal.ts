import { createCipheriv, createDecipheriv } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** KEY_BYTES is the length of a sealing key. */
export const KEY_BYTES = 32;

/** OpenSealResult is the opened text, or why it cannot be opened. */
export type OpenSealResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: 'malformed' | 'wrong_key_or_context'; readonly reason: string };

/**
 * seal encrypts and authenticates text with AES-256-GCM as `v1.<nonce>.<ciphertext and tag>`, both base64url. `context`,
 * such as the id of the channel, is authenticated with it: the sealed text opens in no other place. `randomBytes` is
 * node:crypto's. Throws RangeError unless the key has 32 bytes.
 */
export function seal(
  text: string,
  context: string,
  key: Uint8Array,
  randomBytes: (size: number) => Uint8Array,
): string {
  assertKey(key);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${Buffer.from(nonce).toString('base64url')}.${sealed.toString('base64url')}`;
}

/** unseal opens what seal made with the same key and context. Throws RangeError unless the key has 32 bytes. */
export function unseal(sealed: string, context: string, key: Uint8Array): OpenSealResult {
  assertKey(key);
  const parts = /^v1\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/.exec(sealed);
  const bytes = Buffer.from(parts?.[2] ?? '', 'base64url');
  if (parts === null || bytes.length < TAG_BYTES) {
    return { ok: false, code: 'malformed', reason: 'not a sealed secret of version 1' };
  }
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(parts[1] ?? '', 'base64url'), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const opened = decipher.update(bytes.subarray(0, -TAG_BYTES));
  try {
    return { ok: true, text: Buffer.concat([opened, decipher.final()]).toString('utf8') };
  } catch {
    // final() throws for one reason only: the tag does not fit.
    const reason = 'the secret was sealed with another key or for another place, or was changed';
    return { ok: false, code: 'wrong_key_or_context', reason };
  }
}

function assertKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new RangeError(`a sealing key has ${KEY_BYTES} bytes, not ${key.length}`);
}
