/** bitsFor is how many bits the largest of several uint32 needs, 0 to 32. */
export function bitsFor(highest: number): number {
  return 32 - Math.clz32(highest);
}

/** wordsFor is how many uint32 words `count` numbers of so many bits fill. */
export function wordsFor(count: number, bits: number): number {
  return Math.ceil((count * bits) / 32);
}

/** packBits writes uint32 numbers with `bits` bits each, one after the other from the lowest bit up. */
export function packBits(values: Uint32Array, bits: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(wordsFor(values.length, bits));
  if (bits === 0) return words;
  let word = 0;
  let used = 0;
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    word |= value << used;
    used += bits;
    if (used < 32) continue;
    words[at++] = word;
    used -= 32;
    word = used === 0 ? 0 : value >>> (bits - used);
  }
  if (used > 0) words[at] = word;
  return words;
}

/** unpackBits reads what packBits wrote; `words` holds at least wordsFor(count, bits). */
export function unpackBits(words: Uint32Array, count: number, bits: number): Uint32Array<ArrayBuffer> {
  const values = new Uint32Array(count);
  if (bits === 0) return values;
  if (bits === 32) {
    values.set(words.subarray(0, count));
    return values;
  }
  const mask = 2 ** bits - 1;
  let used = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    let value = words[at] >>> used;
    used += bits;
    if (used >= 32) {
      used -= 32;
      at++;
      if (used > 0) value |= words[at] << (bits - used);
    }
    values[i] = value & mask;
  }
  return values;
}
