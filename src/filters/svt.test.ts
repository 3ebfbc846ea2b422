import { describe, expect, it } from 'vitest';
import { numbersOf, testContext, weightDiff } from '../../test/support/filter-context';
import { ksDistance, ksLimit, laplaceCdf } from '../../test/support/statistics';
import { isConsiliumError } from '../errors';
import { cryptoNoise } from '../privacy/crypto-noise';
import { seededTestNoise } from '../privacy/seeded-test-noise';
import type { Payload } from '../protocol/payload';
import { float32, type Tensor, tensor } from '../tensor/tensor';
import { svt } from './svt';

const flags = { fraction: 0.9, epsilon: 0.001, noiseVar: 1, gamma: 1e-4 };
/** Little noise: for tests of what is not noise. */
const clear = { fraction: 1, epsilon: 1e9, noiseVar: 1e4, gamma: 1 };

const ramp = (length: number, from = -2, to = 2): number[] =>
  Array.from({ length }, (_, i) => from + ((to - from) * i) / Math.max(1, length - 1));

function withTensors(tensors: Readonly<Record<string, Tensor>>, steps = 1): Payload {
  return { kind: 'weight-diff', tensors: new Map(Object.entries(tensors)), metrics: {}, steps };
}

describe('what the svt filter sends', () => {
  it('is exactly ⌈fraction · d⌉ numbers over all tensors, and zero elsewhere', async () => {
    for (const [fraction, expected] of [
      [0.9, 1800],
      [0.1, 200],
      [0.00001, 1],
      [1, 2000],
    ] as const) {
      const context = testContext({ noise: seededTestNoise(1, fraction) });
      const filter = svt({ ...flags, fraction, noiseVar: 0.5 });
      const sent = await filter.apply(weightDiff([ramp(1500), ramp(500)]), context);
      const nonZero = numbersOf(sent).filter((x) => x !== 0).length;
      // A released number is exactly 0 about once in 8000 times.
      expect(nonZero).toBeLessThanOrEqual(expected);
      expect(nonZero).toBeGreaterThanOrEqual(expected - 5);
      expect(context.costs[0]?.details).toMatchObject({ selected: expected, total: 2000 });
    }
  });

  it('keeps names, order, shapes, dtypes, metrics and steps', async () => {
    const payload = withTensors(
      { b: float32([2, 3], ramp(6)), a: tensor('float64', [4], Float64Array.from(ramp(4))) },
      3,
    );
    const sent = await svt(flags).apply({ ...payload, metrics: { loss: 1 } }, testContext());
    expect([...sent.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['b', 'float32', [2, 3]],
      ['a', 'float64', [4]],
    ]);
    expect([sent.kind, sent.metrics, sent.steps]).toEqual(['weight-diff', { loss: 1 }, 3]);
  });

  it('is the update per step, clipped to gamma, times the steps, when there is next to no noise', async () => {
    const steps = 5;
    const sent = await svt(clear).apply(weightDiff([ramp(101, -10, 10)], steps), testContext());
    const expected = ramp(101, -10, 10).map((x) => steps * Math.min(Math.max(x / steps, -1), 1));
    for (const [i, x] of numbersOf(sent).entries()) expect(Math.abs(x - expected[i]!)).toBeLessThan(0.02);
  });

  it('never exceeds gamma times the steps, noise included', async () => {
    const sent = await svt(flags).apply(weightDiff([ramp(5000)], 7), testContext());
    expect(Math.max(...numbersOf(sent).map(Math.abs))).toBeLessThanOrEqual(7e-4);
  });

  it('is a multiple of a power of two not above gamma / 1024, times the steps, exactly', async () => {
    const sent = await svt(flags).apply(weightDiff([ramp(5000)], 6), testContext());
    const grid = 2 ** -24;
    expect(grid).toBeLessThan(1e-4 / 1024);
    expect(numbersOf(sent).every((x) => Number.isInteger(x / 6 / grid))).toBe(true);
  });

  it('is zero for scalars and for tensors that cannot be noised', async () => {
    const counter = tensor('int64', [2], BigInt64Array.from([5n, 6n]));
    const payload = withTensors({ scalar: float32([], [0.5]), counter, w: float32([4], [1, 1, 1, 1]) });
    const context = testContext();
    const sent = await svt(flags).apply(payload, context);
    expect(sent.tensors.get('scalar')).toEqual(float32([], [0]));
    expect(sent.tensors.get('counter')?.data).toEqual(BigInt64Array.from([0n, 0n]));
    expect(context.costs[0]?.details.total).toBe(4);
  });

  it('does not share memory with the update and does not change it', async () => {
    const payload = weightDiff([ramp(10)]);
    const before = numbersOf(payload);
    const sent = await svt(clear).apply(payload, testContext());
    expect(numbersOf(payload)).toEqual(before);
    expect(sent.tensors.get('t0')?.data.buffer).not.toBe(payload.tensors.get('t0')?.data.buffer);
  });

  it('carries Laplace noise of scale 2 γ / noiseVar', async () => {
    const noiseVar = 30;
    const payload = weightDiff([new Array<number>(20_000).fill(0)]);
    const sent = await svt({ ...flags, fraction: 1, noiseVar, gamma: 0.01 }).apply(payload, testContext());
    const scale = 0.02 / noiseVar;
    // Noise beyond gamma, 3e-7 of it, is clipped; the grid is 1e-3 of the scale.
    expect(ksDistance(numbersOf(sent), (x) => laplaceCdf(x, scale))).toBeLessThan(ksLimit(20_000) + 1e-3);
  });

  it('repeats under a seeded source and never under the cryptographic one', async () => {
    const run = async (noise: ReturnType<typeof cryptoNoise>): Promise<string> =>
      numbersOf(await svt(flags).apply(weightDiff([ramp(50)]), testContext({ noise }))).join();
    expect(await run(seededTestNoise(3))).toBe(await run(seededTestNoise(3)));
    expect(await run(seededTestNoise(3))).not.toBe(await run(seededTestNoise(4)));
    expect(await run(cryptoNoise())).not.toBe(await run(cryptoNoise()));
  });
});

describe('what the svt filter costs', () => {
  it('is ε1 + ε2 + ε3 and not the epsilon of the flag: 4.23 million per round for SegResNet', async () => {
    const context = testContext({ noise: cryptoNoise() });
    await svt(flags).apply(withTensors({ w: float32([4_702_227], new Float32Array(4_702_227)) }), context);
    const [cost] = context.costs;
    expect(cost).toMatchObject({ mechanism: 'svt', differentiallyPrivate: true, delta: 0 });
    expect(Math.abs(cost!.epsilon - 4_232_005.001)).toBeLessThan(1e-3);
    const { epsilonThreshold, epsilonQuery, epsilonRelease, epsilonRounding, selected } = cost!.details;
    expect(epsilonThreshold! + epsilonQuery!).toBeCloseTo(0.001, 15);
    expect([epsilonRelease, selected]).toEqual([4_232_005, 4_232_005]);
    expect(epsilonRounding).toBeLessThan(1e-5);
    expect(cost!.unit).toContain('metrics and the step count are outside the guarantee');
  });

  it('is infinite and labelled not private when the noise was seeded', async () => {
    const context = testContext();
    await svt(flags).apply(weightDiff([[1, 2]]), context);
    expect(context.costs[0]).toMatchObject({ differentiallyPrivate: false, epsilon: Number.POSITIVE_INFINITY });
    expect(context.costs[0]?.unit).toContain('NOT PRIVATE');
  });

  it('is booked before anything is sent: no booking, no payload', async () => {
    const charge = (): Promise<void> => Promise.reject(new Error('disk full'));
    const sent = Promise.resolve(svt(flags).apply(weightDiff([[1, 2]]), testContext({ charge })));
    await expect(sent).rejects.toThrow('disk full');
  });

  it('does not go beyond the budget of the site', async () => {
    const context = testContext({ noise: cryptoNoise() });
    const filter = svt({ fraction: 1, epsilon: 0.5, noiseVar: 0.25, gamma: 1, budget: 2.1 });
    for (let round = 0; round < 2; round++) await filter.apply(weightDiff([[1, 2]]), context);
    const third = filter.apply(weightDiff([[1, 2]]), context);
    await expect(third).rejects.toThrow(/site-1: this call would cost ε = 1.0.*budget is 2.1. Nothing was sent/);
    expect(context.costs.length).toBe(2);
  });

  it('fits no budget when the noise was seeded', async () => {
    const sent = Promise.resolve(svt({ ...flags, budget: 1e12 }).apply(weightDiff([[1, 2]]), testContext()));
    await expect(sent).rejects.toThrow(/ε = Infinity/);
  });
});

describe('an update that the svt filter refuses', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'holds %f: its tensor is named, and at once',
    async (bad) => {
      const data = new Float32Array(4_702_227);
      data[4_000_000] = bad;
      const payload = withTensors({ fine: float32([2], [1, 2]), 'conv.weight': float32([data.length], data) });
      const context = testContext();
      const start = performance.now();
      const error = await Promise.resolve(svt(flags).apply(payload, context)).catch((reason: unknown) => reason);
      expect(performance.now() - start).toBeLessThan(100);
      expect(isConsiliumError(error, 'FilterBlockedError')).toBe(true);
      expect(String(error)).toContain("'conv.weight' holds NaN or infinite numbers");
      expect(context.costs).toEqual([]);
    },
  );

  it.each([
    ['a NaN in a scalar', withTensors({ s: float32([], [Number.NaN]), w: float32([1], [1]) }), /'s' holds NaN/],
    ['no steps', weightDiff([[1]], 0), /step count/],
    ['a broken step count', weightDiff([[1]], Number.NaN), /step count/],
    ['nothing that can be noised', withTensors({ s: float32([], [1]), e: float32([0], []) }), /no numbers/],
  ])('has %s', async (_, payload, message) => {
    await expect(Promise.resolve(svt(flags).apply(payload, testContext()))).rejects.toThrow(message);
  });

  it('is not a weight difference', () => {
    expect(svt(flags).accepts).toEqual(['weight-diff', 'metrics']);
  });
});
