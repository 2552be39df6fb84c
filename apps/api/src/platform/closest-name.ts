/**
 * closestName is the name that a misspelt one was probably meant to be: the one that the fewest changes of a letter lead
 * to (insertions, deletions, replacements and swaps of neighbours), a third of its letters at most. null where none is
 * that close. Case and what stands between words do not count.
 */
export function closestName(given: string, names: readonly string[]): string | null {
  const plain = plainOf(given);
  let closest: string | null = null;
  let fewest = Infinity;
  for (const name of names) {
    const wanted = plainOf(name);
    const most = Math.max(1, Math.floor(wanted.length / 3));
    // Also bounds the work: what is given may be of any length.
    if (Math.abs(wanted.length - plain.length) > most) continue;
    const changes = changesBetween(plain, wanted);
    if (changes > most || changes >= fewest) continue;
    closest = name;
    fewest = changes;
  }
  return closest;
}

function plainOf(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** The distance of optimal string alignment: Damerau and Levenshtein's, no part changed twice. */
function changesBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (isSame ? 0 : 1),
        isSwap ? at(beforeLast, j - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
