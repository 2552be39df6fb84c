import { LAP, lapStart, type SeqRange } from './lap.js';
import { inOrder, type PageSource, type Placed } from './page-source.js';

/** What a lap is asked for at least when rows that are just being stored, or that share a seq, made one answer too little. */
const ROWS_AGAIN = 1000;

/** LapQuery is how many of which points of a lap are wanted. */
export interface LapQuery {
  readonly ms: number;
  /** Within one lap. */
  readonly seqs: SeqRange;
  readonly wanted: number;
}

/** MsQuery is how many points of a ms are wanted. */
export interface MsQuery {
  readonly ms: number;
  readonly below: number;
  readonly wanted: number;
  /** How many rows a query may ask for; more than are wanted. */
  readonly most: number;
  /** Whether the ms is known to have so many, of whatever seq. */
  readonly isLarge: boolean;
}

/** readMs reads the points of one ms with the highest seqs below: as many as are wanted and some more, or all. */
export async function readMs<T extends Placed>(source: PageSource<T>, query: MsQuery): Promise<readonly T[]> {
  const { ms, wanted, most, isLarge } = query;
  const readWhole = async (seqs: SeqRange): Promise<readonly T[] | null> => {
    const rows = await source.ofMs(ms, seqs, most);
    return rows.length < most ? inOrder(rows) : null;
  };
  let { below } = query;
  const all = isLarge ? null : await readWhole({ from: -Infinity, below });
  if (all) return all;
  const items: T[] = [];
  // A ms of many laps with few points each is read many laps at a time.
  for (let laps = 1; items.length < wanted;) {
    const highest = await source.highestSeq(ms, below);
    if (highest === null) break;
    const seqs = { from: Math.max(0, lapStart(highest) - (laps - 1) * LAP), below: highest + 1 };
    const left = wanted - items.length;
    const found = laps === 1 ? await readLap(source, { ms, seqs, wanted: left }) : await readWhole(seqs);
    if (found) {
      items.push(...found);
      below = seqs.from;
    }
    laps = found ? laps * 2 : 1;
  }
  return items;
}

/**
 * readLap reads the points of one lap of a ms with the highest seqs of a range: as many as are wanted and some more, or
 * all. What shares a seq is not parted: of an answer that was cut, rows with the seq of the last one are read again.
 */
export async function readLap<T extends Placed>(
  source: PageSource<T>,
  { ms, seqs, wanted }: LapQuery,
): Promise<readonly T[]> {
  const items: T[] = [];
  let { below } = seqs;
  let asked = wanted + 1;
  while (items.length < wanted) {
    const rows = await source.ofMs(ms, { ...seqs, below }, asked);
    if (rows.length < asked) return [...items, ...inOrder(rows)];
    const lastSeq = rows.at(-1)?.seq ?? Infinity;
    const whole = rows.filter(({ seq }) => seq !== null && seq > lastSeq);
    items.push(...inOrder(whole));
    if (whole.length > 0) below = lastSeq + 1;
    asked = whole.length > 0 ? Math.max(asked, ROWS_AGAIN) : asked * 2;
  }
  return items;
}
