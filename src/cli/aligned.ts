/**
 * Rows of cells as lines whose columns stand under one another.
 *
 * @param left columns, from the first, that are aligned to the left; the others to the right, as numbers are
 */
export function aligned(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? [];
  return rows.map((row) =>
    row.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  );
}
