import { describe, expect, it } from 'vitest';
import { aggregated, modelOfRow, roundOf, sevenRows } from '../../test/support/aggregation';
import { tensor } from '../tensor/tensor';

describe('norm clipping', () => {
  it('gives the published mean', async () => {
    const found = await aggregated({ kind: 'norm-clipping', maxNorm: 2.5 }, sevenRows);
    for (const [i, x] of [1.097829, 1.483668, -0.67908].entries()) expect(found[i]).toBeCloseTo(x, 6);
  });

  it('lets a site move the model by no more than its part of the largest norm, and leaves small changes alone', async () => {
    const [x] = await aggregated({ kind: 'norm-clipping', maxNorm: 2 }, [[0], [0], [0], [1e30]]);
    expect(x).toBeCloseTo(0.5, 15);
    expect(await aggregated({ kind: 'norm-clipping', maxNorm: 2 }, [[1], [0]])).toEqual([0.5]);
  });
});

describe('centred clipping', () => {
  const asked = { kind: 'centred-clipping', radius: 1 };

  it('moves the centre as the paper says, by hand', async () => {
    // From 0: (0.5 + 1 + 1 · 8/8) / 3; and from there once more: (−1/3 + 1 + 1) / 3 further.
    const rows = [[0.5], [2], [8]];
    const first = (0.5 + 1 + 1) / 3;
    expect((await aggregated(asked, rows))[0]).toBeCloseTo(first, 15);
    const second = first + (0.5 - first + 1 + 1) / 3;
    expect((await aggregated({ ...asked, iterations: 2 }, rows))[0]).toBeCloseTo(second, 15);
  });

  it('starts from the change of the round before, which the server keeps', async () => {
    const first = roundOf(asked, [[3], [3], [-50]]);
    const change = Number((await first.finish()).get('w')!.data[0]);
    expect(change).toBeCloseTo(1 / 3, 15);
    const kept = first.memory!();
    expect(kept).toEqual(new Map([['aggregator/centre/w', tensor('float32', [1], Float32Array.of(1 / 3))]]));
    const memory = new Map([...kept, ...modelOfRow([9])]);
    const [next] = await aggregated(asked, [[3], [3], [-50]], { options: { memory } });
    expect(next).toBeCloseTo(2 / 3, 7);
  });

  it('keeps the change of whole models too, not the models', async () => {
    const round = roundOf(asked, [[103], [103], [103]], { reference: [100], options: { kind: 'weights' } });
    expect(Number((await round.finish()).get('w')!.data[0])).toBeCloseTo(101, 12);
    expect(round.memory!().get('aggregator/centre/w')!.data).toEqual(Float32Array.of(1));
  });
});
