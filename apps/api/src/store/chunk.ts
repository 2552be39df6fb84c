import { readHeader, type ChunkHeader } from './chunk-header.js';
import { bitCount, layoutOf, LengthMode, METRICS, PLAIN_VERSION, type ChunkLayout } from './chunk-layout.js';
import { ChunkError } from './chunk-error.js';
import { checkedCounts, PACKED_VERSION, unpackParts, type Parts } from './chunk-pack.js';

/** CustomValue is one custom metric of one point. */
export interface CustomValue {
  readonly name: string;
  readonly value: number;
}

const NONE: readonly CustomValue[] = [];

/** Chunk reads points as columns, each decoded when it is first asked for. Throws ChunkError. */
export class Chunk {
  private timesColumn: Float64Array | null = null;
  private seqsColumn: Float64Array | null = null;
  private readonly columns: Float64Array[] = [];
  private readonly customColumns = new Map<string, Float64Array | null>();
  private customsOfRows: ReadonlyMap<number, CustomValue[]> | null = null;
  private textBytes: ArrayBuffer | null = null;
  private customNames: readonly string[] | null = null;
  private idText: string | null = null;
  private idOffsets: Uint32Array | null = null;

  private constructor(
    private readonly header: ChunkHeader,
    private readonly layout: ChunkLayout,
    private readonly parts: Parts,
  ) {}

  /** open checks the header and the size; the columns are checked when they are read. */
  static open(body: ArrayBuffer): Chunk {
    const header = readHeader(body);
    const layout = layoutOf(header.shape);
    if (header.version === PACKED_VERSION) return new Chunk(header, layout, unpackParts(body, header));
    if (header.version !== PLAIN_VERSION) throw new ChunkError(`unknown version ${header.version}`);
    // Other columns may follow, as in a commit.
    if (body.byteLength < layout.size) throw new ChunkError(`${body.byteLength} bytes instead of ${layout.size}`);
    return new Chunk(header, layout, plainParts(body, header, layout));
  }

  get count(): number {
    return this.header.shape.count;
  }

  /** plainBytes is the length of a plain chunk. */
  get plainBytes(): number {
    return this.layout.size;
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
    const { mask } = this.header.shape;
    if ((mask & (1 << index)) === 0) return null;
    const place = bitCount(mask & ((1 << index) - 1));
    this.columns[place] ??= this.parts.column(place);
    return this.columns[place];
  }

  /** metric is the column of a built-in or else a custom metric by name, or null when no point carries it. */
  metric(name: string): Float64Array | null {
    const index = METRICS.findIndex((metric) => metric === name);
    return index >= 0 ? this.builtIn(index) : this.custom(name);
  }

  /** names are the custom metrics in it. */
  names(): readonly string[] {
    this.customNames ??= this.readNames();
    return this.customNames;
  }

  /** custom is the column of a custom metric with NaN where a point lacks it, or null when every point does. */
  custom(name: string): Float64Array | null {
    if (this.header.shape.customs === 0) return null;
    let column = this.customColumns.get(name);
    if (column === undefined) this.customColumns.set(name, (column = this.readCustom(name)));
    return column;
  }

  /** customsAt are the custom values of one point. */
  customsAt(row: number): readonly CustomValue[] {
    if (this.header.shape.customs === 0) return NONE;
    this.customsOfRows ??= this.readCustomsOfRows();
    return this.customsOfRows.get(row) ?? NONE;
  }

  requestId(row: number): string {
    this.idText ??= this.readIdText();
    const { shape, idLength } = this.header;
    if (shape.lengthMode === LengthMode.equal) return this.idText.slice(row * idLength, (row + 1) * idLength);
    this.idOffsets ??= this.readIdOffsets();
    return this.idText.slice(this.idOffsets[row], this.idOffsets[row + 1]);
  }

  /** decode reads all columns, so that their first reader does not wait for it and what is damaged shows. */
  decode(): void {
    this.times();
    this.seqs();
    METRICS.forEach((_, metric) => this.builtIn(metric));
    this.customsAt(0);
    this.requestId(0);
  }

  private texts(): ArrayBuffer {
    this.textBytes ??= this.parts.texts();
    return this.textBytes;
  }

  private readCustom(name: string): Float64Array | null {
    const place = this.names().indexOf(name);
    if (place < 0) return null;
    const { values, rows, counts } = this.parts.customs();
    const column = new Float64Array(this.count).fill(NaN);
    let from = 0;
    for (let i = 0; i < place; i++) from += counts[i];
    for (let i = from; i < from + counts[place]; i++) column[rows[i]] = values[i];
    return column;
  }

  private readCustomsOfRows(): ReadonlyMap<number, CustomValue[]> {
    const { values, rows, counts } = this.parts.customs();
    const byRow = new Map<number, CustomValue[]>();
    let at = 0;
    this.names().forEach((name, place) => {
      for (const end = at + counts[place]; at < end; at++) {
        const entry = { name, value: values[at] };
        const others = byRow.get(rows[at]);
        if (others) others.push(entry);
        else byRow.set(rows[at], [entry]);
      }
    });
    return byRow;
  }

  private readNames(): readonly string[] {
    const { customs, nameBytes } = this.header.shape;
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
    const { idUnits, wideIds, lengthMode } = this.header.shape;
    if (lengthMode === LengthMode.equal && this.header.idLength * this.count !== idUnits) {
      throw new ChunkError('its request ids do not fill their column');
    }
    const offset = this.layout.ids - this.layout.wordLengths;
    const bytes = Buffer.from(this.texts(), offset, idUnits * (wideIds ? 2 : 1));
    return bytes.toString(wideIds ? 'utf16le' : 'latin1');
  }

  private readIdOffsets(): Uint32Array {
    const { lengthMode, idUnits } = this.header.shape;
    const lengths =
      lengthMode === LengthMode.words
        ? new Uint32Array(this.texts(), 0, this.count)
        : new Uint8Array(this.texts(), this.layout.byteLengths - this.layout.wordLengths, this.count);
    const offsets = new Uint32Array(this.count + 1);
    let end = 0;
    for (let i = 0; i < this.count; i++) offsets[i + 1] = end += lengths[i];
    if (end !== idUnits) throw new ChunkError('its request ids do not fill their column');
    return offsets;
  }
}

function plainParts(body: ArrayBuffer, { shape, baseMs, baseSeq }: ChunkHeader, layout: ChunkLayout): Parts {
  const { count, entries, customs } = shape;
  return {
    times: () => plainKeys(body, layout.times, { count, isWide: shape.wideTimes, base: baseMs }),
    seqs: () => plainKeys(body, layout.seqs, { count, isWide: shape.wideSeqs, base: baseSeq }),
    column: (place) => new Float64Array(body, layout.columns + place * count * 8, count),
    customs: () => ({
      values: new Float64Array(body, layout.customValues, entries),
      rows: new Uint32Array(body, layout.customRows, entries),
      counts: checkedCounts(new Uint32Array(body, layout.customCounts, customs), entries),
    }),
    // A copy, so that it begins at a multiple of 8 whatever lies before it.
    texts: () => body.slice(layout.wordLengths, layout.size),
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
