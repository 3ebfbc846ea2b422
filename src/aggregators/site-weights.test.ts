import { describe, expect, it } from 'vitest';
import {
  type AskedAggregator,
  aggregated,
  modelOfRow,
  type Row,
  roundOf,
  sevenRows,
} from '../../test/support/aggregation';
import type { NamedTensors } from '../tensor/tensor';

/** Rows of a single number that tell the sites' weights apart: the result holds each site's weight. */
const unit: readonly Row[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const steps = [10, 30, 60];

/** Weights of the sites in each of several rounds, from the costs that they report; `undefined` for a site that is missing. */
async function weightsOf(asked: AskedAggregator, rounds: readonly (readonly (number | undefined)[])[]) {
  let memory: NamedTensors = new Map();
  const found: number[][] = [];
  const notes: string[] = [];
  for (const [round, costs] of rounds.entries()) {
    const arrival = [0, 1, 2].filter((k) => costs[k] !== undefined);
    const metrics = costs.map((cost) => ({ train_loss: cost ?? null }));
    const aggregator = roundOf(asked, unit, { steps, metrics, arrival, options: { memory, round } });
    found.push([...(await aggregator.finish()).get('w')!.data].map(Number));
    memory = aggregator.memory!();
    notes.push(...aggregator.notes!());
  }
  return { found, memory, notes };
}

function expectWeights(found: Row | undefined, expected: Row): void {
  for (const [i, x] of expected.entries()) expect(found![i]).toBeCloseTo(x, 14);
}

describe('the unweighted mean', () => {
  it('counts every site the same, whatever its steps', async () => {
    const rows = [
      [1, 4],
      [2, 6],
      [6, 2],
    ];
    expect(await aggregated({ kind: 'mean' }, rows, { steps: [1, 500, 7] })).toEqual([3, 4]);
    const aggregator = roundOf({ kind: 'mean' }, rows, { steps: [1, 500, 7] });
    expect(aggregator.contributions()[1]).toEqual({ site: 'site-2', steps: 500 });
  });

  it('gives the published one', async () => {
    const found = await aggregated({ kind: 'mean' }, sevenRows, { steps: [10, 20, 30, 40, 50, 60, 5] });
    for (const [i, x] of [8.007143, -3.992857, 3.435714].entries()) expect(found[i]).toBeCloseTo(x, 6);
  });
});

describe('FedCostWAvg', () => {
  const asked = { kind: 'cost-weighted' };

  it('is federated averaging in its first round, then weighs by steps and by the drop of the cost', async () => {
    const { found } = await weightsOf(asked, [
      [1, 2, 3],
      [0.5, 2, 4],
      [0.5, 1, 1],
    ]);
    expectWeights(found[0], [0.1, 0.3, 0.6]);
    // k = 1/0.5, 2/2, 3/4: 2, 1, 0.75 of 3.75.
    expectWeights(found[1], [0.05 + 1 / 3.75, 0.15 + 0.5 / 3.75, 0.3 + 0.375 / 3.75]);
    // k = 1, 2, 4 of 7.
    expectWeights(found[2], [0.05 + 0.5 / 7, 0.15 + 1 / 7, 0.3 + 2 / 7]);
  });

  it('shares the weight as alpha says', async () => {
    const rounds = [
      [1, 1, 1],
      [1, 0.5, 1],
    ];
    const { found } = await weightsOf({ ...asked, alpha: 0.2 }, rounds);
    expectWeights(found[1], [0.02 + 0.2, 0.06 + 0.4, 0.12 + 0.2]);
  });

  it('takes the last cost that a site reported, and one that comes later as unchanged', async () => {
    const { found } = await weightsOf(asked, [
      [4, undefined, 2],
      [undefined, 5, 2],
      [1, 5, 1],
    ]);
    expectWeights(found[0], [10 / 70, 0, 60 / 70]);
    // site-2 has no cost before: k = 1; site-3: k = 1.
    expectWeights(found[1], [0, 0.5 * (30 / 90) + 0.25, 0.5 * (60 / 90) + 0.25]);
    expectWeights(found[2], [0.05 + 2 / 7, 0.15 + 0.5 / 7, 0.3 + 1 / 7]);
  });

  it('averages whole weights by the same weights', async () => {
    const round = { steps, metrics: unit.map(() => ({ train_loss: 1 })), options: { kind: 'weights' } as const };
    expectWeights(await aggregated(asked, unit, { ...round, reference: [7, 7, 7] }), [0.1, 0.3, 0.6]);
  });

  it('refuses an update without its cost, or with one that is none, and says what to do', () => {
    const add = (metrics: Readonly<Record<string, number | null>>, more: object = {}) => {
      const aggregator = roundOf({ ...asked, ...more }, [[1]], { metrics: [metrics] });
      return aggregator.contributions().length;
    };
    expect(() => add({ val_loss: 1, val_ssim: 2 })).toThrow(
      /site-1 was refused: .*'cost-weighted' needs its cost 'train_loss'.*its metrics are val_loss, val_ssim/,
    );
    expect(() => add({})).toThrow(/its metrics are none/);
    for (const cost of [0, -1, Number.NaN, null])
      expect(() => add({ train_loss: cost })).toThrow(/a number above 0, but/);
    expect(add({ val_loss: 1 }, { metric: 'val_loss' })).toBe(1);
  });
});

describe('FedPIDAvg', () => {
  const asked = { kind: 'pid-weighted' };

  it('is federated averaging in its first round, then weighs by steps, drop and sum of the costs', async () => {
    const { found, memory } = await weightsOf(asked, [
      [5, 4, 3],
      [3, 3, 2],
      [2, 3, 1],
    ]);
    expectWeights(found[0], [0.1, 0.3, 0.6]);
    // Drops 2, 1, 1 of 4; sums 5, 4, 3 of 12.
    expectWeights(found[1], [
      0.045 + (0.45 * 2) / 4 + 0.5 / 12,
      0.135 + 0.45 / 4 + 0.4 / 12,
      0.27 + 0.45 / 4 + 0.3 / 12,
    ]);
    // Drops 1, 0, 1 of 2; sums 8, 7, 5 of 20.
    expectWeights(found[2], [0.045 + 0.45 / 2 + 0.8 / 20, 0.135 + 0.7 / 20, 0.27 + 0.45 / 2 + 0.5 / 20]);
    expect([...memory.get('aggregator/costs/site-1')!.data]).toEqual([5, 3, 2]);
  });

  it('forgets costs from before its window', async () => {
    const rounds = [6, 5, 4, 3].map((cost) => [cost, cost + 1, 2 * cost]);
    const { found, memory } = await weightsOf({ ...asked, window: 2 }, rounds);
    // Drops 1, 1, 2 of 4; sums of the two before: 9, 11, 18 of 38.
    expectWeights(found[3], [0.045 + 0.45 / 4 + 0.9 / 38, 0.135 + 0.45 / 4 + 1.1 / 38, 0.27 + 0.9 / 4 + 1.8 / 38]);
    expect([...memory.get('aggregator/costs/site-3')!.data]).toEqual([8, 6]);
  });

  const oneRises = [
    [5, 4, 3],
    [3, 5, 2],
  ];

  it('counts a rising cost against its site, and tells when that takes weights out of 0 … 1', async () => {
    const { found, notes } = await weightsOf(asked, oneRises);
    // Drops 2, −1, 1 of 2.
    expectWeights(found[1], [0.045 + 0.45 + 0.5 / 12, 0.135 - 0.225 + 0.4 / 12, 0.27 + 0.225 + 0.3 / 12]);
    expect(found[1]!.reduce((a, b) => a + b)).toBeCloseTo(1, 14);
    expect(notes).toEqual([expect.stringMatching(/outside 0 … 1.*site-2 -0.0567/)]);
  });

  it('takes a rise for a drop where the job says so, as the code of the MRI translation job does', async () => {
    const { found, notes } = await weightsOf({ ...asked, absolute: true }, oneRises);
    expectWeights(found[1], [0.045 + 0.9 / 4 + 0.5 / 12, 0.135 + 0.45 / 4 + 0.4 / 12, 0.27 + 0.45 / 4 + 0.3 / 12]);
    expect(notes).toEqual([]);
  });

  it('goes by steps where no cost has changed, and where no cost is there', async () => {
    const { found } = await weightsOf(asked, [
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expectWeights(found[1], [0.1, 0.3, 0.6]);
  });

  it('keeps what sites reported that are not in a round', async () => {
    const { found } = await weightsOf(asked, [
      [4, 4, undefined],
      [undefined, 3, 6],
      [2, 2, 5],
    ]);
    // site-3 is new: no drop, no sum.
    expectWeights(found[1], [0, 0.45 * (30 / 90) + 0.45 + 0.1, 0.45 * (60 / 90)]);
    // Drops 4 − 2, 3 − 2, 6 − 5; sums 4, 7, 6.
    expectWeights(found[2], [0.045 + 0.9 / 4 + 0.4 / 17, 0.135 + 0.45 / 4 + 0.7 / 17, 0.27 + 0.45 / 4 + 0.6 / 17]);
  });

  it('reads nothing but its own from the memory', async () => {
    const metrics = unit.map(() => ({ train_loss: 1 }));
    const aggregator = roundOf(asked, unit, { steps, metrics, options: { memory: modelOfRow([3]) } });
    await aggregator.finish();
    expect([...aggregator.memory!().keys()]).toEqual([1, 2, 3].map((k) => `aggregator/costs/site-${k}`));
  });
});
