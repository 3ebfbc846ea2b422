import { describe, expect, it } from 'vitest';
import golden from '../../test/golden/statistics.json';
import { binnedQuantile, countInto, evenEdges, noCounts } from './bins';

function histogram(values: readonly number[], edges: Float64Array): Float64Array {
  const counts = noCounts(edges);
  for (const value of values) countInto(counts, edges, value);
  return counts;
}

describe.each(golden)('$name', ({ values, range, bins, counts, edges, outside, probabilities, quantiles }) => {
  const ours = evenEdges([range[0]!, range[1]!], bins);

  it("has NumPy's edges", () => {
    for (const [i, edge] of edges.entries()) expect(ours[i]).toBeCloseTo(edge, 12 - Math.log10(Math.abs(edge) + 1));
  });

  it("counts as NumPy between NumPy's edges, and what lies outside besides", () => {
    const found = histogram(values, Float64Array.from(edges));
    expect([...found.subarray(1, -1)]).toEqual(counts);
    expect(found[0]! + found.at(-1)!).toBe(outside);
  });

  it('has quantiles within a bin of those of the values themselves', () => {
    const width = (range[1]! - range[0]!) / bins;
    const found = histogram(values, ours);
    for (const [i, p] of probabilities.entries()) {
      const quantile = binnedQuantile(ours, found, p);
      const isOutside = quantiles[i]! < range[0]! || quantiles[i]! > range[1]!;
      if (isOutside) expect(quantile).toBeNull();
      else expect(Math.abs(quantile! - quantiles[i]!)).toBeLessThanOrEqual(width * (1 + 1e-9));
    }
  });
});

it('gives a range of one point a bin around it', () => {
  expect([...evenEdges([5, 5], 2)]).toEqual([4.5, 5, 5.5]);
});

it('puts a value on an edge into the bin that the edge opens, and the highest into the last', () => {
  expect([...histogram([0, 1, 2, 3], Float64Array.of(0, 1, 2, 3))]).toEqual([0, 1, 1, 2, 0]);
});

it('interpolates within a bin, and knows no quantile without values or outside the range', () => {
  const edges = Float64Array.of(0, 10, 20);
  expect(binnedQuantile(edges, Float64Array.of(0, 4, 4, 0), 0.25)).toBe(5);
  expect(binnedQuantile(edges, Float64Array.of(0, 0, 30, 0), 0.1)).toBe(11);
  expect(binnedQuantile(edges, Float64Array.of(5, 5, 0, 0), 0.5)).toBeNull();
  expect(binnedQuantile(edges, Float64Array.of(0, 5, 0, 5), 0.6)).toBeNull();
  expect(binnedQuantile(edges, Float64Array.of(0, 0, 0, 0), 0.5)).toBeNull();
});
