/**
 * Names by patterns: `*` stands for any characters, none included; everything else for itself. No pattern takes longer than
 * the lengths of pattern and name multiplied.
 *
 * @module
 */

/** Whether a name fits a pattern, from its first character to its last. */
export function matchesGlob(pattern: string, name: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (pieces.length === 1) return name === pattern;
  if (!name.startsWith(first)) return false;
  // Pieces in the middle are best found as early as possible: it leaves the most for those behind.
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}

/** Whether a name fits one of the patterns. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}
