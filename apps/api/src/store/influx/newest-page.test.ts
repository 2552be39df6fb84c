import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from '../point-store.js';
import { LAP } from './lap.js';
import { readNewestPage } from './newest-page.js';
import type { PageSource } from './page-source.js';

/** A row as InfluxDB has it: without a seq and an item, or without an item, while it is being stored. */
interface Row {
  readonly ms: number;
  readonly seq: number;
  readonly writer: number;
  readonly state: 'whole' | 'without item' | 'without seq';
}

interface Item {
  readonly timestampMs: number;
  readonly seq: number;
  readonly writer: number;
}

const row = (ms: number, seq: number, writer: number, state: Row['state'] = 'whole'): Row => ({
  ms,
  seq,
  writer,
  state,
});

/** A database of rows that counts what is asked of it. */
class Rows implements PageSource<Item> {
  private readonly rows: readonly Row[];
  queries = 0;
  mostAsked = 0;

  constructor(rows: readonly Row[]) {
    const rest = (seq: number): number => seq % LAP;
    this.rows = rows.toSorted((a, b) => b.ms - a.ms || rest(b.seq) - rest(a.seq) || a.writer - b.writer);
  }

  /** items are what is whole, in the order of pages. */
  get items(): Item[] {
    const items = this.rows.filter(({ state }) => state === 'whole').map(toItem);
    return items.sort((a, b) => b.timestampMs - a.timestampMs || b.seq - a.seq);
  }

  readonly newest: PageSource<Item>['newest'] = (toMs, limit) => this.answer(({ ms }) => ms < toMs, limit);

  readonly ofMs: PageSource<Item>['ofMs'] = (of, { from, below }, limit) =>
    this.answer(({ ms, seq, state }) => {
      const isBound = from > -Infinity || below < Infinity;
      return ms === of && (!isBound || (state !== 'without seq' && from <= seq && seq < below));
    }, limit);

  readonly highestSeq: PageSource<Item>['highestSeq'] = async (of, below) => {
    this.queries++;
    const known = this.rows.filter(({ ms, seq, state }) => ms === of && seq < below && state !== 'without seq');
    return known.length === 0 ? null : Math.max(...known.map(({ seq }) => seq));
  };

  private answer(isWanted: (row: Row) => boolean, limit: number): ReturnType<PageSource<Item>['newest']> {
    this.queries++;
    this.mostAsked = Math.max(this.mostAsked, limit);
    const found = this.rows.filter(isWanted).slice(0, limit);
    return Promise.resolve(
      found.map((one) => ({
        timestampMs: one.ms,
        seq: one.state === 'without seq' ? null : one.seq,
        item: one.state === 'whole' ? toItem(one) : null,
      })),
    );
  }
}

function toItem({ ms, seq, writer }: Row): Item {
  return { timestampMs: ms, seq, writer };
}

/** walk reads page after page; what shares ms and seq is in any order. */
async function walk(source: Rows, limit: number, first?: Position): Promise<{ items: Item[]; sizes: number[] }> {
  const items: Item[] = [];
  const sizes: number[] = [];
  let after = first;
  do {
    const page = await readNewestPage(source, limit, { toMs: 100, after });
    const { timestampMs, seq } = page.items.at(-1) ?? {};
    if (page.next) expect(page.next).toEqual({ timestampMs, seq });
    items.push(...page.items.toSorted((a, b) => b.timestampMs - a.timestampMs || b.seq - a.seq || a.writer - b.writer));
    sizes.push(page.items.length);
    after = page.next ?? undefined;
  } while (after);
  return { items, sizes };
}

const seqs = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 7, 8, 1_000, 1_700_000_000), fc.constantFrom(0, 1, 2, 3, 5, 500_000, LAP - 1))
  .map(([lap, low]) => lap * LAP + low);

const positions = fc.record({ timestampMs: fc.integer({ min: 0, max: 101 }), seq: seqs });

function rowsOf(states: readonly Row['state'][], writers: number): fc.Arbitrary<Row[]> {
  const one = fc.record({
    ms: fc.oneof({ weight: 3, arbitrary: fc.constant(50) }, fc.integer({ min: 47, max: 53 })),
    seq: fc.oneof(seqs, fc.integer({ min: 0, max: 200 })),
    writer: fc.integer({ min: 0, max: writers - 1 }),
    state: fc.constantFrom(...states),
  });
  const selector = ({ ms, seq, writer }: Row): string => `${ms} ${seq % LAP} ${writer} ${writers === 1 ? '' : seq}`;
  return fc.uniqueArray(one, { maxLength: 150, size: 'max', selector });
}

const isAfter = (position: Position | undefined, { timestampMs, seq }: Item): boolean =>
  position === undefined ||
  position.timestampMs >= 100 ||
  timestampMs < position.timestampMs ||
  (timestampMs === position.timestampMs && seq < position.seq);

describe('pages of points in InfluxDB', () => {
  it('are all points once, in order, whatever laps and writers they are of and while some are being stored', async () => {
    const states = ['whole', 'whole', 'whole', 'without item', 'without seq'] as const;
    const limits = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 13, max: 200 }));
    await fc.assert(
      fc.asyncProperty(
        rowsOf(states, 3),
        limits,
        fc.option(positions, { nil: undefined }),
        async (rows, limit, first) => {
          const source = new Rows(rows);
          const { items, sizes } = await walk(source, limit, first);
          expect(items).toEqual(source.items.filter((item) => isAfter(first, item)));
          // A page is short of its limit only for points of several writers that it would part, of which there are three at most.
          for (const size of sizes.slice(0, -1)) expect(Math.abs(size - limit)).toBeLessThan(3);
          expect(source.mostAsked).toBeLessThanOrEqual(Math.max(limit * 1.05 + 12, 1000));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('ask for a twentieth and a dozen rows more than they have, where nothing is being stored', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(['whole'], 1), fc.integer({ min: 1, max: 60 }), async (rows, limit) => {
        const source = new Rows(rows);
        const { items, sizes } = await walk(source, limit);
        expect(items).toEqual(source.items);
        for (const size of sizes.slice(0, -1)) expect(size).toBe(limit);
        expect(source.mostAsked).toBeLessThanOrEqual(limit * 1.05 + 12);
      }),
      { numRuns: 500 },
    );
  });

  it('are one query where all fits, and two a page after the first where points are spread over many ms', async () => {
    const source = new Rows(Array.from({ length: 90 }, (_, i) => row(i, i + 1, 0)));
    expect((await walk(source, 90)).sizes).toEqual([90]);
    expect(source.queries).toBe(1);
    expect((await walk(source, 30)).sizes).toEqual([30, 30, 30]);
    expect(source.queries).toBe(1 + 1 + 2 + 2);
  });

  it('are three queries at most where some points share a ms', async () => {
    const source = new Rows(Array.from({ length: 600 }, (_, i) => row(Math.floor(i / 7), i + 1, 0)));
    const { items, sizes } = await walk(source, 30);
    expect(items).toEqual(source.items);
    expect(sizes).toHaveLength(20);
    expect(source.queries).toBeLessThanOrEqual(3 * 20);
  });

  it('are one query each inside of a ms of many points', async () => {
    const source = new Rows(Array.from({ length: 5000 }, (_, i) => row(50, 3 * LAP - 2500 + i, 0)));
    const { items, sizes } = await walk(source, 100);
    expect(items).toEqual(source.items);
    expect(sizes).toHaveLength(50);
    expect(source.queries).toBeLessThan(60);
    expect(source.mostAsked).toBe(116);
  });

  it('are few queries each where a ms has thousands of laps of a point or two', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) =>
      row(50, Math.floor(i / 2) * 7 * LAP + ((i * 7919) % LAP), i % 2),
    );
    const source = new Rows(rows);
    const { items, sizes } = await walk(source, 100);
    expect(items).toEqual(source.items);
    expect(source.queries).toBeLessThan(sizes.length * 25);
  });

  it('announce another page behind points of several writers that fill one alone', async () => {
    const rows = [row(50, 1, 0), row(50, 1, 1), row(50, 1, 2), row(49, 1, 0)];
    expect((await walk(new Rows(rows), 1)).sizes).toEqual([3, 1]);
    expect((await walk(new Rows(rows.slice(0, 3)), 1)).sizes).toEqual([3]);
  });

  it.each([1, 2, 1000])('of %d pass over thousands of rows that are being stored', async (limit) => {
    const rows = Array.from({ length: 5000 }, (_, i) => row(50, i, 0, i < 5 ? 'whole' : 'without item'));
    const source = new Rows([
      ...rows,
      row(49, 1, 0),
      ...rows.map((one) => ({ ...one, ms: 51, state: 'without seq' as const })),
    ]);
    expect((await walk(source, limit)).items).toEqual(source.items);
    expect(source.queries).toBeLessThan(60);
  });
});
