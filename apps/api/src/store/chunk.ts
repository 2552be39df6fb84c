import { bitCount, HEADER_BYTES, layoutOf, LengthMode, METRICS, PLAIN_VERSION } from './chunk-layout.js';
import type { ChunkLayout, ChunkShape } from './chunk-layout.js';
import { ChunkError } from './chunk-error.js';
import { PACKED_VERSION, unpackSections, type Sections } from './chunk-pack.js';

const MAX_POINTS = 1 << 24;

/** Chunk reads the points of one series as columns, each decoded when it is first asked for. Throws ChunkError. */
export class Chunk {
  private timesColumn: Float64Array | null = null;
  private seqsColumn: Float64Array | null = null;
  private readonly columns: Float64Array[] = [];
  private columnBytes: ArrayBuffer | null = null;
  private textBytes: ArrayBuffer | null = null;
  private customNames: readonly string[] | null = null;
  private idText: string | null = null;
  private idOffsets: Uint32Array | null = null;

  private constructor(
    private readonly shape: ChunkShape,
    private readonly layout: ChunkLayout,
    private readonly sections: Sections,
    private readonly baseMs: number,
    private readonly baseSeq: number,
    private readonly idLength: number,
  ) {}

  /** open checks the header and the size; the columns are checked when they are read. */
  static open(body: ArrayBuffer): Chunk {
    if (body.byteLength < HEADER_BYTES) throw new ChunkError(`${body.byteLength} bytes are too few for a header`);
    const header = new DataView(body, 0, HEADER_BYTES);
    const version = header.getUint8(0);
    const shape = readShape(header);
    const layout = layoutOf(shape);
    const sections = openSections(version, body, shape, layout);
    const baseMs = header.getFloat64(8, true);
    return new Chunk(shape, layout, sections, baseMs, header.getFloat64(16, true), header.getUint32(36, true));
  }

  get count(): number {
    return this.shape.count;
  }

  /** times are epoch ms, one a point. */
  times(): Float64Array {
    this.timesColumn ??= this.readKeys(this.layout.times, this.shape.wideTimes, this.baseMs);
    return this.timesColumn;
  }

  seqs(): Float64Array {
    this.seqsColumn ??= this.readKeys(this.layout.seqs, this.shape.wideSeqs, this.baseSeq);
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

  private readKeys(at: number, wide: boolean, base: number): Float64Array {
    const offset = at - HEADER_BYTES;
    const keys = this.sections.keys();
    if (wide) return new Float64Array(keys, offset, this.count);
    const narrow = new Uint32Array(keys, offset, this.count);
    const values = new Float64Array(this.count);
    for (let i = 0; i < values.length; i++) values[i] = base + narrow[i];
    return values;
  }

  private column(place: number): Float64Array {
    this.columnBytes ??= this.sections.columns();
    this.columns[place] ??= new Float64Array(this.columnBytes, place * this.count * 8, this.count);
    return this.columns[place];
  }

  private texts(): ArrayBuffer {
    this.textBytes ??= this.sections.texts();
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

function openSections(version: number, body: ArrayBuffer, shape: ChunkShape, layout: ChunkLayout): Sections {
  if (version === PACKED_VERSION) return unpackSections(body, shape, layout);
  if (version !== PLAIN_VERSION) throw new ChunkError(`unknown version ${version}`);
  if (body.byteLength !== layout.size) throw new ChunkError(`${body.byteLength} bytes instead of ${layout.size}`);
  return {
    keys: () => body.slice(layout.times, layout.columns),
    columns: () => body.slice(layout.columns, layout.wordLengths),
    texts: () => body.slice(layout.wordLengths),
  };
}
