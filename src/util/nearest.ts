/**
 * The known word that a misspelt one was probably meant to be.
 *
 * @module
 */

/** Words longer than this are not compared: the time grows with the square of the length. */
const longest = 64;

/**
 * The word of `known` nearest to `word`, when it is near enough to be a slip: at most a third of its letters inserted, left
 * out, replaced or swapped with the next. Case, dashes, underscores, dots and blanks do not count, so that the habits of
 * other tools (`min_sites`) find ours (`minSites`). The first of equals wins.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = plainOf(word);
  if (plain.length > longest) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const other = plainOf(candidate);
    const distance = other.length > longest ? least : editDistance(plain, other);
    const allowed = Math.floor(Math.max(plain.length, other.length) / 3);
    if (distance > allowed || distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** ` Did you mean 'x'?`, or nothing where no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : ` Did you mean '${meant}'?`;
}

function plainOf(word: string): string {
  return word.toLowerCase().replace(/[-_.\s]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) least = Math.min(least, (before[j - 2] ?? 0) + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
