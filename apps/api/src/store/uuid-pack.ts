const HYPHEN = 0x2d;
const UUID_CHARS = 36;
const UUID_BYTES = 16;
const HEX = '0123456789abcdef';
/** PLACES are where the characters of each byte of a UUID begin: 8-4-4-4-12 digits. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const HYPHENS = [8, 13, 18, 23];

/** packUuids writes texts of 36 characters each as 16 bytes each, or returns null if one is not a lower-case UUID. */
export function packUuids(texts: Uint8Array): Uint8Array<ArrayBuffer> | null {
  if (texts.length % UUID_CHARS !== 0) return null;
  const packed = new Uint8Array((texts.length / UUID_CHARS) * UUID_BYTES);
  let to = 0;
  for (let from = 0; from < texts.length; from += UUID_CHARS) {
    for (const place of HYPHENS) if (texts[from + place] !== HYPHEN) return null;
    for (const place of PLACES) {
      const high = digit(texts[from + place]);
      const low = digit(texts[from + place + 1]);
      if ((high | low) < 0) return null;
      packed[to++] = (high << 4) | low;
    }
  }
  return packed;
}

/** unpackUuids writes the texts back to `target`, which has 36 bytes for every 16 of `packed`. */
export function unpackUuids(packed: Uint8Array, target: Uint8Array): void {
  let from = 0;
  for (let to = 0; from < packed.length; to += UUID_CHARS) {
    for (const place of HYPHENS) target[to + place] = HYPHEN;
    for (const place of PLACES) {
      const byte = packed[from++];
      target[to + place] = HEX.charCodeAt(byte >> 4);
      target[to + place + 1] = HEX.charCodeAt(byte & 15);
    }
  }
}

function digit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  return char >= 0x61 && char <= 0x66 ? char - 0x57 : -1;
}
