/**
 * splitPlanes puts the first bytes of all items first, then all second bytes, and so on: bytes of one significance
 * resemble each other, which a general compressor can use.
 */
export function splitPlanes(bytes: Uint8Array, width: number): Uint8Array {
  const count = bytes.length / width;
  const planes = new Uint8Array(bytes.length);
  for (let plane = 0; plane < width; plane++) {
    const at = plane * count;
    for (let i = 0, from = plane; i < count; i++, from += width) planes[at + i] = bytes[from];
  }
  return planes;
}

/** joinPlanes undoes splitPlanes into `target`, which is as long as `planes`. */
export function joinPlanes(planes: Uint8Array, width: number, target: Uint8Array): void {
  const count = planes.length / width;
  for (let plane = 0; plane < width; plane++) {
    const at = plane * count;
    for (let i = 0, to = plane; i < count; i++, to += width) target[to] = planes[at + i];
  }
}
