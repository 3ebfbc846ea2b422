/**
 * Histograms with bins of equal width, as NumPy's: [e₀, e₁), [e₁, e₂), …, the last one closed.
 *
 * @module
 */

/** The edges of `bins` bins over a range; a range of one point gets half a unit on each side. Ascending, bins + 1 of them. */
export function evenEdges([low, high]: readonly [number, number], bins: number): Float64Array {
  const [first, last] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  const width = (last - first) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => first + i * width);
  edges[bins] = last;
  return edges;
}

/** How many values lie below the range, in each bin, and above the range: bins + 2 numbers. */
export type BinCounts = Float64Array;

export function noCounts(edges: Float64Array): BinCounts {
  return new Float64Array(edges.length + 1);
}

/** Counts a finite value. The edges decide, not a division: a value on an edge is in the bin that the edge opens. */
export function countInto(counts: BinCounts, edges: Float64Array, value: number): void {
  counts[placeOf(edges, value)]! += 1;
}

/** 0 below the range, 1 … bins in it, bins + 1 above it. */
function placeOf(edges: Float64Array, value: number): number {
  const bins = edges.length - 1;
  const first = edges[0]!;
  const last = edges[bins]!;
  if (value < first) return 0;
  if (value > last) return bins + 1;
  // Right but for rounding, if the edges are even; right for any edges after the steps below.
  let bin = Math.min(bins - 1, Math.floor(((value - first) / (last - first)) * bins) || 0);
  while (value < edges[bin]!) bin--;
  while (bin < bins - 1 && value >= edges[bin + 1]!) bin++;
  return bin + 1;
}

/**
 * The quantile of binned values: that of the order statistic of rank ⌈p·n⌉, looked for within its bin by linear
 * interpolation. It is off by at most the width of a bin.
 *
 * @param probability in (0, 1).
 * @returns `null` without values, and when the quantile lies outside the range.
 */
export function binnedQuantile(edges: Float64Array, counts: BinCounts, probability: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  // 0.1 · 30 is a little over 3 in doubles, and the third value is meant.
  const rank = Math.max(1, Math.ceil(probability * total * (1 - 1e-12)));
  const bins = edges.length - 1;
  let before = counts[0]!;
  if (total === 0 || rank <= before) return null;
  for (let bin = 0; bin < bins; bin++) {
    const count = counts[bin + 1]!;
    if (rank <= before + count) {
      const low = edges[bin]!;
      const share = (probability * total - before) / count;
      return low + Math.min(1, Math.max(0, share)) * (edges[bin + 1]! - low);
    }
    before += count;
  }
  return null;
}
