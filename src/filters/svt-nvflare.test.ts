import { describe, expect, it } from 'vitest';
import { numbersOf, testContext, weightDiff } from '../../test/support/filter-context';
import { ksDistance, ksLimit, laplaceCdf } from '../../test/support/statistics';
import { cryptoNoise } from '../privacy/crypto-noise';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import { float32 } from '../tensor/tensor';
import { svtNvflare } from './svt-nvflare';

const flags = { fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 };
const zeros = (length: number): number[] => new Array<number>(length).fill(0);

describe('the svt-nvflare filter', () => {
  it('books an infinite cost and says that it is not differentially private, whatever the noise', async () => {
    const context = testContext({ noise: cryptoNoise() });
    await svtNvflare(flags).apply(weightDiff([[1, 2]]), context);
    expect(context.costs[0]).toMatchObject({
      mechanism: 'svt-nvflare',
      differentiallyPrivate: false,
      epsilon: Number.POSITIVE_INFINITY,
    });
    expect(context.costs[0]?.unit).toContain('not differentially private');
  });

  it('shares fewer distinct numbers than asked, as drawing with replacement does: 57 to 59 % at fraction 0.9', async () => {
    const context = testContext({ noise: seededTestNoise(1) });
    const sent = await svtNvflare(flags).apply(weightDiff([zeros(50_000)]), context);
    const share = numbersOf(sent).filter((x) => x !== 0).length / 50_000;
    // |A| accepted of d after whole sweeps that each accept about half, c draws among them: A (1 - exp(-c / A)) / d.
    expect(share).toBeGreaterThan(0.55);
    expect(share).toBeLessThan(0.61);
    expect(context.costs[0]?.details).toMatchObject({ wanted: 45_000, selected: share * 50_000, total: 50_000 });
  });

  it('clips after adding noise: a number far beyond gamma leaves as gamma times the steps', async () => {
    const sent = await svtNvflare({ ...flags, fraction: 1 }).apply(weightDiff([[50, -50, 50, -50]], 4), testContext());
    const shared = numbersOf(sent).filter((x) => x !== 0);
    expect(shared.length).toBeGreaterThan(0);
    for (const x of shared) expect(Math.abs(x)).toBeCloseTo(4e-4, 9);
  });

  it('adds Laplace noise of scale 2 γ / noiseVar', async () => {
    const payload = weightDiff([zeros(30_000)]);
    const sent = await svtNvflare({ ...flags, noiseVar: 30, gamma: 0.01 }).apply(payload, testContext());
    const shared = numbersOf(sent).filter((x) => x !== 0);
    expect(ksDistance(shared, (x) => laplaceCdf(x, 0.02 / 30))).toBeLessThan(ksLimit(shared.length));
  });

  it('prefers large numbers when its noise allows it', async () => {
    const payload = weightDiff([[...zeros(1000), ...new Array<number>(1000).fill(1)]]);
    const options = { fraction: 0.2, epsilon: 1e6, noiseVar: 1, gamma: 1, tau: 0.5 };
    const sent = numbersOf(await svtNvflare(options).apply(payload, testContext()));
    expect(sent.slice(0, 1000).filter((x) => x !== 0).length).toBeLessThan(20);
    expect(sent.slice(1000).filter((x) => x !== 0).length).toBeGreaterThan(150);
  });

  it('ends when its threshold is out of reach, and then sends zeros', async () => {
    const context = testContext();
    const sent = await svtNvflare({ ...flags, epsilon: 1e9, tau: 1 }).apply(weightDiff([zeros(100)]), context);
    expect(numbersOf(sent).every((x) => x === 0)).toBe(true);
    expect(context.costs[0]?.details).toMatchObject({ selected: 0, sweeps: 64 });
  });

  it('refuses NaN and sends no scalar', async () => {
    const filter = svtNvflare(flags);
    await expect(Promise.resolve(filter.apply(weightDiff([[Number.NaN]]), testContext()))).rejects.toThrow(
      /'t0' holds NaN/,
    );
    const payload = weightDiff([[1, 2]]);
    const withScalar = { ...payload, tensors: new Map([...payload.tensors, ['s', float32([], [0.25])]]) };
    expect((await filter.apply(withScalar, testContext())).tensors.get('s')).toEqual(float32([], [0]));
  });
});
