import { METRICS } from './chunk-layout.js';
import { Tally, type StoredTally } from './tally.js';

const VERSION = 1;
const HEADER_BYTES = 16;
/** count, sum, min, max as float64, then the place and the length of the sketch as uint32. */
const ENTRY_BYTES = 40;

/** RollupError says that a stored rollup is not one. */
export class RollupError extends Error {
  readonly code = 'ROLLUP_DAMAGED';

  constructor(reason: string, options?: ErrorOptions) {
    super(`damaged rollup: ${reason}`, options);
    this.name = 'RollupError';
  }
}

/** Rollup is the tallies of one bucket by metric: METRICS and custom names. */
export type Rollup = Map<string, Tally>;

/**
 * encodeRollup writes the tallies that are not empty. Little endian: version byte, mask of METRICS, and as uint32 at 4
 * the number of custom metrics, at 8 the bytes of their names; one entry a metric in that order; the names as a JSON
 * array; the sketches.
 */
export function encodeRollup(rollup: Rollup): Buffer {
  const present = [...rollup].filter(([, tally]) => tally.count > 0);
  const builtIns = present.filter(([name]) => builtInPlace(name) >= 0);
  const customs = present.filter(([name]) => builtInPlace(name) < 0);
  builtIns.sort(([a], [b]) => builtInPlace(a) - builtInPlace(b));
  const names = customs.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(customs.map(([name]) => name)));
  const tallies = [...builtIns, ...customs].map(([, tally]) => tally.store());
  const sketchesAt = HEADER_BYTES + ENTRY_BYTES * tallies.length + names.length;
  const sketchBytes = tallies.reduce((sum, tally) => sum + tally.sketch.length, 0);
  const body = Buffer.alloc(sketchesAt + sketchBytes);
  body[0] = VERSION;
  for (const [name] of builtIns) body[1] |= 1 << builtInPlace(name);
  body.writeUInt32LE(customs.length, 4);
  body.writeUInt32LE(names.length, 8);
  let at = HEADER_BYTES;
  let sketchAt = sketchesAt;
  for (const tally of tallies) {
    body.writeDoubleLE(tally.count, at);
    body.writeDoubleLE(tally.sum, at + 8);
    body.writeDoubleLE(tally.min, at + 16);
    body.writeDoubleLE(tally.max, at + 24);
    body.writeUInt32LE(sketchAt, at + 32);
    body.writeUInt32LE(tally.sketch.length, at + 36);
    body.set(tally.sketch, sketchAt);
    sketchAt += tally.sketch.length;
    at += ENTRY_BYTES;
  }
  body.set(names, at);
  return body;
}

/** RollupReader finds single metrics in a stored rollup, without touching the others. Throws RollupError. */
export class RollupReader {
  private readonly view: DataView;
  private readonly mask: number;
  private readonly builtIns: number;
  private readonly customs: number;

  constructor(private readonly body: ArrayBuffer) {
    if (body.byteLength < HEADER_BYTES) throw new RollupError(`${body.byteLength} bytes`);
    this.view = new DataView(body);
    if (this.view.getUint8(0) !== VERSION) throw new RollupError(`unknown version ${this.view.getUint8(0)}`);
    this.mask = this.view.getUint8(1);
    if (this.mask >= 1 << METRICS.length) throw new RollupError(`unknown metrics ${this.mask}`);
    this.builtIns = METRICS.filter((_, i) => this.mask & (1 << i)).length;
    this.customs = this.view.getUint32(4, true);
    const entries = ENTRY_BYTES * (this.builtIns + this.customs);
    if (HEADER_BYTES + entries + this.view.getUint32(8, true) > body.byteLength) throw new RollupError('cut short');
  }

  /** find returns the tally of a metric, or null when no point of the bucket carried it. */
  find(name: string): StoredTally | null {
    const place = this.placeOf(name);
    return place < 0 ? null : this.entry(place);
  }

  /** decode builds the whole rollup, to add to it. Throws RollupError. */
  decode(): Rollup {
    const rollup: Rollup = new Map();
    const builtIns = METRICS.filter((_, i) => this.mask & (1 << i));
    [...builtIns, ...this.names()].forEach((name, place) => {
      const tally = new Tally(true);
      try {
        tally.mergeStored(this.entry(place));
      } catch (cause) {
        throw new RollupError(`its ${name}`, { cause });
      }
      rollup.set(name, tally);
    });
    return rollup;
  }

  private placeOf(name: string): number {
    const builtIn = builtInPlace(name);
    if (builtIn < 0) {
      const custom = this.customs === 0 ? -1 : this.names().indexOf(name);
      return custom < 0 ? -1 : this.builtIns + custom;
    }
    if ((this.mask & (1 << builtIn)) === 0) return -1;
    let place = 0;
    for (let i = 0; i < builtIn; i++) if (this.mask & (1 << i)) place++;
    return place;
  }

  private entry(place: number): StoredTally {
    const at = HEADER_BYTES + ENTRY_BYTES * place;
    const sketchAt = this.view.getUint32(at + 32, true);
    const sketchBytes = this.view.getUint32(at + 36, true);
    if (sketchAt + sketchBytes > this.body.byteLength) throw new RollupError('a sketch is cut short');
    return {
      count: this.view.getFloat64(at, true),
      sum: this.view.getFloat64(at + 8, true),
      min: this.view.getFloat64(at + 16, true),
      max: this.view.getFloat64(at + 24, true),
      sketch: new Uint8Array(this.body, sketchAt, sketchBytes),
    };
  }

  private names(): readonly string[] {
    if (this.customs === 0) return [];
    const at = HEADER_BYTES + ENTRY_BYTES * (this.builtIns + this.customs);
    try {
      const names: unknown = JSON.parse(Buffer.from(this.body, at, this.view.getUint32(8, true)).toString('utf8'));
      if (Array.isArray(names) && names.length === this.customs && names.every((name) => typeof name === 'string')) {
        return names;
      }
    } catch (cause) {
      throw new RollupError('its names are not JSON', { cause });
    }
    throw new RollupError(`its names are not ${this.customs} strings`);
  }
}

function builtInPlace(name: string): number {
  return METRICS.findIndex((metric) => metric === name);
}
