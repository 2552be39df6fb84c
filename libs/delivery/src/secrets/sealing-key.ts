import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KEY_BYTES } from './seal.js';

/** SealingKeySource says where the key comes from: `secret` where it is given, else `file`. */
export interface SealingKeySource {
  /** At least 16 characters, from the operator; stretched to a key with HKDF-SHA256. It must be random, not a pass phrase. */
  readonly secret?: string;
  /** Holds the key as base64url, mode 0600; made where it is missing. */
  readonly file: string;
}

/** SealingKeyResult is the key and where it came from, or why there is none. */
export type SealingKeyResult =
  | { readonly ok: true; readonly key: Buffer; readonly origin: 'secret' | 'file' | 'created' }
  | {
      readonly ok: false;
      readonly code: 'short_secret' | 'key_file_open_to_others' | 'bad_key_file';
      readonly reason: string;
    };

const MIN_SECRET_LENGTH = 16;

/**
 * loadOrCreateKey returns the 32-byte key that seals secrets at rest. A key file that others may read or write, or that
 * holds no key, is refused rather than replaced: replacing it would make every sealed secret unreadable.
 */
export async function loadOrCreateKey({ secret, file }: SealingKeySource): Promise<SealingKeyResult> {
  if (secret !== undefined) {
    if (secret.length < MIN_SECRET_LENGTH) {
      return { ok: false, code: 'short_secret', reason: `the secret needs at least ${MIN_SECRET_LENGTH} characters` };
    }
    const key = Buffer.from(hkdfSync('sha256', secret, '', 'tidemark sealing key v1', KEY_BYTES));
    return { ok: true, key, origin: 'secret' };
  }
  const found = await readKey(file);
  if (found !== undefined) return found;
  const created = await createKey(file);
  // Another process may have been first: then its key is the one.
  return created ?? (await readKey(file)) ?? { ok: false, code: 'bad_key_file', reason: `${file} came and went` };
}

async function readKey(file: string): Promise<SealingKeyResult | undefined> {
  const handle = await open(file, 'r').catch(unless('ENOENT'));
  if (handle === undefined) return undefined;
  try {
    const mode = (await handle.stat()).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      const reason = `${file} has mode ${mode.toString(8).padStart(4, '0')}; it must be readable by its owner only (chmod 600)`;
      return { ok: false, code: 'key_file_open_to_others', reason };
    }
    const text = (await handle.readFile('utf8')).trim();
    const key = Buffer.from(text, 'base64url');
    if (!/^[A-Za-z0-9_-]{43}$/.test(text) || key.length !== KEY_BYTES) {
      return { ok: false, code: 'bad_key_file', reason: `${file} does not hold a sealing key` };
    }
    return { ok: true, key, origin: 'file' };
  } finally {
    await handle.close();
  }
}

/** Written aside, made durable and then linked into place, so that a crash leaves a whole key file or none. */
async function createKey(file: string): Promise<SealingKeyResult | undefined> {
  await mkdir(dirname(file), { recursive: true });
  const key = randomBytes(KEY_BYTES);
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(aside, 'wx', 0o600);
  try {
    await handle.writeFile(`${key.toString('base64url')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  const linked = await link(aside, file).then(() => true, unless('EEXIST'));
  await unlink(aside);
  return linked === true ? { ok: true, key, origin: 'created' } : undefined;
}

function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === code) return undefined;
    throw error;
  };
}
