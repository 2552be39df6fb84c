import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvHeader, csvRow } from './csv.js';

const cell = (value: unknown) => csvRow(['a'], { a: value }).slice(0, -2);

/** Reads CSV as RFC 4180 defines it. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length;) {
    let value = '';
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (at >= text.length) throw new Error('a quoted cell without an end');
        value += text[at];
        if (text[at] === '"') at++;
      }
      at++;
    } else while (at < text.length && text[at] !== ',' && !text.startsWith('\r\n', at)) value += text[at++];
    row.push(value);
    if (text[at] === ',') {
      at++;
      continue;
    }
    if (!text.startsWith('\r\n', at)) throw new Error(`a stray ${JSON.stringify(text[at])}`);
    at += 2;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('CSV', () => {
  it('writes a header and rows with the line ends of RFC 4180', () => {
    expect(csvHeader(['a', 'b'])).toBe('a,b\r\n');
    expect(csvRow(['a', 'b'], { b: 2, a: 1, c: 3 })).toBe('1,2\r\n');
  });

  it.each([
    [null, ''],
    [undefined, ''],
    [0, '0'],
    [-1.5, '-1.5'],
    [1e-7, '1e-7'],
    [true, 'true'],
    ['plain', 'plain'],
    ['', ''],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [{}, '{}'],
    [{ region: 'eu' }, '"{""region"":""eu""}"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', '"\'\r=1"'],
    ['\n=1', '"\'\n=1"'],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ['a=1', 'a=1'],
  ])('writes %j as %s', (value, wanted) => {
    expect(cell(value)).toBe(wanted);
  });

  it('reaches into an object by a dot, and finds nothing on a prototype', () => {
    const row = { usage: { gpu: 0.5 }, text: 'x' };
    expect(csvRow(['usage.gpu', 'usage.cpu', 'text.length', 'none.gpu', 'constructor', 'usage.toString'], row)).toBe(
      '0.5,,,,,\r\n',
    );
  });

  it('is read back cell by cell, whatever the texts hold', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('"', ',', '\r', '\n', '=', "'", ' '),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (rows) => {
        const written = rows.map(([a, b]) => csvRow(['a', 'b'], { a, b })).join('');
        const wanted = rows.map((row) => row.map((one) => (/^[=+\-@\t\r\n]/.test(one) ? `'${one}` : one)));
        expect(parse(written)).toEqual(wanted);
      }),
      { numRuns: 2000 },
    );
  });
});
