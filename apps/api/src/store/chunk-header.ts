import { ChunkError } from './chunk-error.js';
import { flagsOf, HEADER_BYTES, LengthMode, METRICS, PLAIN_VERSION, type ChunkShape } from './chunk-layout.js';

const MAX_POINTS = 1 << 24;

/** ChunkHeader is what a chunk begins with. */
export interface ChunkHeader {
  readonly shape: ChunkShape;
  /** What narrow times and seqs are counted from. */
  readonly baseMs: number;
  readonly baseSeq: number;
  /** Characters of every request id; only with LengthMode.equal. */
  readonly idLength: number;
}

/**
 * writeHeader writes the header of a plain chunk at the start of a buffer. Little endian: byte version, byte flags,
 * byte mask; uint32 at 4 count; float64 at 8 and 16 the bases; uint32 at 24 idUnits, 28 nameBytes, 32 customs,
 * 36 idLength, 40 entries.
 */
export function writeHeader(buffer: ArrayBuffer, { shape, baseMs, baseSeq, idLength }: ChunkHeader): void {
  const view = new DataView(buffer, 0, HEADER_BYTES);
  view.setUint8(0, PLAIN_VERSION);
  view.setUint8(1, flagsOf(shape));
  view.setUint8(2, shape.mask);
  view.setUint32(4, shape.count, true);
  view.setFloat64(8, baseMs, true);
  view.setFloat64(16, baseSeq, true);
  view.setUint32(24, shape.idUnits, true);
  view.setUint32(28, shape.nameBytes, true);
  view.setUint32(32, shape.customs, true);
  view.setUint32(36, shape.lengthMode === LengthMode.equal ? idLength : 0, true);
  view.setUint32(40, shape.entries, true);
}

/** readHeader reads a header of any version, and the version. Throws ChunkError. */
export function readHeader(body: ArrayBuffer): ChunkHeader & { readonly version: number } {
  if (body.byteLength < HEADER_BYTES) throw new ChunkError(`${body.byteLength} bytes are too few for a header`);
  const view = new DataView(body, 0, HEADER_BYTES);
  const flags = view.getUint8(1);
  const shape: ChunkShape = {
    count: view.getUint32(4, true),
    wideTimes: (flags & 1) !== 0,
    wideSeqs: (flags & 2) !== 0,
    wideIds: (flags & 4) !== 0,
    lengthMode: (flags >> 3) & 3,
    mask: view.getUint8(2),
    customs: view.getUint32(32, true),
    entries: view.getUint32(40, true),
    idUnits: view.getUint32(24, true),
    nameBytes: view.getUint32(28, true),
  };
  if (shape.count === 0 || shape.count > MAX_POINTS) throw new ChunkError(`${shape.count} points`);
  if (flags > 0x17 || shape.lengthMode > LengthMode.words) throw new ChunkError(`unknown flags ${flags}`);
  if (shape.mask >= 1 << METRICS.length) throw new ChunkError(`unknown columns ${shape.mask}`);
  return {
    version: view.getUint8(0),
    shape,
    baseMs: view.getFloat64(8, true),
    baseSeq: view.getFloat64(16, true),
    idLength: view.getUint32(36, true),
  };
}
