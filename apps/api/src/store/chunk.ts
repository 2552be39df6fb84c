import { bitCount, HEADER_BYTES, layoutOf, LengthMode, METRICS, PLAIN_VERSION } from './chunk-layout.js';
import type { ChunkLayout, ChunkShape } from './chunk-layout.js';
import { ChunkError } from './chunk-error.js';
import { PACKED_VERSION, unpackParts, type Bases, type Parts } from './chunk-pack.js';

const MAX_POINTS = 1 << 24;

/** Chunk reads the points of one series as columns, each decoded when it is first asked for. Throws ChunkError. */
export class Chunk {
  private timesColumn: Float64Array | null = null;
  private seqsColumn: Float64Array | null = null;
  private readonly columns: Float64Array[] = [];
  private textBytes: ArrayBuffer | null = null;
  private customNames: readonly string[] | null = null;
  private idText: string | null = null;
  private idOffsets: Uint32Array | null = null;

  private constructor(
    private readonly shape: ChunkShape,
    private readonly layout: ChunkLayout,
    private readonly parts: Parts,
    private readonly idLength: number,
  ) {}

  /** open checks the header and the size; the columns are checked when they are read. */
  static open(body: ArrayBuffer): Chunk {
    if (body.byteLength < HEADER_BYTES) throw new ChunkError(`${body.byteLength} bytes are too few for a header`);
    const header = new DataView(body, 0, HEADER_BYTES);
    const version = header.getUint8(0);
    const shape = readShape(header);
    const layout = layoutOf(shape);
    const bases: Bases = { ms: header.getFloat64(8, true), seq: header.getFloat64(16, true) };
    return new Chunk(shape, layout, openParts(version, body, shape, bases), header.getUint32(36, true));
  }

  get count(): number {
    return this.shape.count;
  }

  /** times are epoch ms, one a point. */
  times(): Float64Array {
    this.timesColumn ??= this.parts.times();
    return this.timesColumn;
  }

  seqs(): Float64Array {
    this.seqsColumn ??= this.parts.seqs();
    return this.seqsColumn;
  }

  /** builtIn is the column of METRICS[index] with NaN where a point lacks it, or null when every point does. */
  builtIn(index: number): Float64Array | null {
    if ((this.shape.mask & (1 << index)) === 0) return null;
    return this.column(bitCount(this.shape.mask & ((1 << index) - 1)));
  }

  /** metric is the column of a built-in or custom metric by name, or null when no point carries it. */
  metric(name: string): Float64Array | null {
    const index = METRICS.findIndex((metric) => metric === name);
    return index >= 0 ? this.builtIn(index) : this.custom(name);
  }

  /** names are the custom metrics in it. */
  names(): readonly string[] {
    this.customNames ??= this.readNames();
    return this.customNames;
  }

  /** custom is the column of a custom metric, or null when no point carries it. */
  custom(name: string): Float64Array | null {
    if (this.shape.customs === 0) return null;
    const index = this.names().indexOf(name);
    return index < 0 ? null : this.column(bitCount(this.shape.mask) + index);
  }

  requestId(index: number): string {
    this.idText ??= this.readIdText();
    if (this.shape.lengthMode === LengthMode.equal) {
      return this.idText.slice(index * this.idLength, (index + 1) * this.idLength);
    }
    this.idOffsets ??= this.readIdOffsets();
    return this.idText.slice(this.idOffsets[index], this.idOffsets[index + 1]);
  }

  private column(place: number): Float64Array {
    this.columns[place] ??= this.parts.column(place);
    return this.columns[place];
  }

  private texts(): ArrayBuffer {
    this.textBytes ??= this.parts.texts();
    return this.textBytes;
  }

  private readNames(): readonly string[] {
    const { customs, nameBytes } = this.shape;
    if (customs === 0) return [];
    const text = Buffer.from(this.texts(), this.layout.names - this.layout.wordLengths, nameBytes).toString('utf8');
    try {
      const names: unknown = JSON.parse(text);
      if (Array.isArray(names) && names.length === customs && names.every((name) => typeof name === 'string')) {
        return names;
      }
    } catch (cause) {
      throw new ChunkError('its names are not JSON', { cause });
    }
    throw new ChunkError(`its names are not ${customs} strings`);
  }

  private readIdText(): string {
    const { idUnits, wideIds } = this.shape;
    const offset = this.layout.ids - this.layout.wordLengths;
    if (this.shape.lengthMode === LengthMode.equal && this.idLength * this.count !== idUnits) {
      throw new ChunkError('its request ids do not fill their column');
    }
    const bytes = Buffer.from(this.texts(), offset, idUnits * (wideIds ? 2 : 1));
    return bytes.toString(wideIds ? 'utf16le' : 'latin1');
  }

  private readIdOffsets(): Uint32Array {
    const lengths =
      this.shape.lengthMode === LengthMode.words
        ? new Uint32Array(this.texts(), 0, this.count)
        : new Uint8Array(this.texts(), this.layout.byteLengths - this.layout.wordLengths, this.count);
    const offsets = new Uint32Array(this.count + 1);
    let end = 0;
    for (let i = 0; i < this.count; i++) offsets[i + 1] = end += lengths[i];
    if (end !== this.shape.idUnits) throw new ChunkError('its request ids do not fill their column');
    return offsets;
  }
}

function readShape(header: DataView): ChunkShape {
  const flags = header.getUint8(1);
  const shape: ChunkShape = {
    count: header.getUint32(4, true),
    wideTimes: (flags & 1) !== 0,
    wideSeqs: (flags & 2) !== 0,
    wideIds: (flags & 4) !== 0,
    lengthMode: (flags >> 3) & 3,
    mask: header.getUint8(2),
    customs: header.getUint32(32, true),
    idUnits: header.getUint32(24, true),
    nameBytes: header.getUint32(28, true),
  };
  if (shape.count === 0 || shape.count > MAX_POINTS) throw new ChunkError(`${shape.count} points`);
  if (flags > 0x17 || shape.lengthMode > LengthMode.words) throw new ChunkError(`unknown flags ${flags}`);
  if (shape.mask >= 1 << METRICS.length) throw new ChunkError(`unknown columns ${shape.mask}`);
  return shape;
}

function openParts(version: number, body: ArrayBuffer, shape: ChunkShape, bases: Bases): Parts {
  if (version === PACKED_VERSION) return unpackParts(body, shape, bases);
  if (version !== PLAIN_VERSION) throw new ChunkError(`unknown version ${version}`);
  const layout = layoutOf(shape);
  if (body.byteLength !== layout.size) throw new ChunkError(`${body.byteLength} bytes instead of ${layout.size}`);
  const { count, wideTimes, wideSeqs } = shape;
  return {
    times: () => plainKeys(body, layout.times, { count, isWide: wideTimes, base: bases.ms }),
    seqs: () => plainKeys(body, layout.seqs, { count, isWide: wideSeqs, base: bases.seq }),
    column: (place) => new Float64Array(body, layout.columns + place * count * 8, count),
    texts: () => body.slice(layout.wordLengths),
  };
}

interface PlainKeys {
  readonly count: number;
  readonly isWide: boolean;
  readonly base: number;
}

function plainKeys(body: ArrayBuffer, at: number, { count, isWide, base }: PlainKeys): Float64Array {
  if (isWide) return new Float64Array(body, at, count);
  const narrow = new Uint32Array(body, at, count);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i++) keys[i] = base + narrow[i];
  return keys;
}
