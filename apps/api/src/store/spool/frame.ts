import { crc32 } from 'node:zlib';

/** Frame is one batch of lines as it was acknowledged. */
export interface Frame {
  /** Whole lines, each ended by a line feed. */
  readonly lines: Uint8Array;
  readonly points: number;
  /** When it was acknowledged, epoch ms. */
  readonly atMs: number;
}

/** DecodedFrames are the frames of a piece of a segment in their order, and how many damaged stretches lay between. */
export interface DecodedFrames {
  readonly frames: readonly Frame[];
  /** A stretch is at least one frame that was cut or altered; what it held cannot be known. */
  readonly torn: number;
}

/**
 * A frame is: magic (4), length of the lines (u32), points (u32), atMs (f64), CRC-32 of all but magic and itself (u32),
 * lines. All little-endian. The magic has bytes that UTF-8 never has, so that lines cannot look like a frame, and a
 * damaged length costs its own frame and none behind it.
 */
const MAGIC = Buffer.from([0xff, 0x54, 0x4d, 0xfe]);
const CHECKED_FROM = 4;
const CRC_AT = 20;

/** FRAME_HEADER_BYTES is what a frame adds to its lines. */
export const FRAME_HEADER_BYTES = 24;

/** encodeFrame makes the bytes of a frame. */
export function encodeFrame({ lines, points, atMs }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + lines.length);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(lines.length, 4);
  bytes.writeUInt32LE(points, 8);
  bytes.writeDoubleLE(atMs, 12);
  bytes.set(lines, FRAME_HEADER_BYTES);
  bytes.writeUInt32LE(checksum(bytes), CRC_AT);
  return bytes;
}

/** decodeFrames reads every whole frame; the answered lines are views of `bytes`. It throws at nothing. */
export function decodeFrames(bytes: Buffer): DecodedFrames {
  const frames: Frame[] = [];
  let torn = 0;
  let at = 0;
  while (at < bytes.length) {
    const frame = frameAt(bytes, at);
    if (frame) {
      frames.push(frame);
      at += FRAME_HEADER_BYTES + frame.lines.length;
    } else {
      torn++;
      at = nextFrame(bytes, at + 1);
    }
  }
  return { frames, torn };
}

function frameAt(bytes: Buffer, at: number): Frame | null {
  const linesAt = at + FRAME_HEADER_BYTES;
  if (linesAt > bytes.length || MAGIC.compare(bytes, at, at + MAGIC.length) !== 0) return null;
  const end = linesAt + bytes.readUInt32LE(at + 4);
  if (end > bytes.length) return null;
  if (bytes.readUInt32LE(at + CRC_AT) !== checksum(bytes.subarray(at, end))) return null;
  return {
    lines: bytes.subarray(linesAt, end),
    points: bytes.readUInt32LE(at + 8),
    atMs: bytes.readDoubleLE(at + 12),
  };
}

function nextFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MAGIC, from); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (frameAt(bytes, at)) return at;
  }
  return bytes.length;
}

function checksum(frame: Buffer): number {
  const header = crc32(frame.subarray(CHECKED_FROM, CRC_AT));
  return crc32(frame.subarray(FRAME_HEADER_BYTES), header);
}
