import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { interpret } from '../../graph/interpret';
import type { Shape } from '../../tensor/tensor';
import { type BatchNormOptions, batchNorm } from './batch-norm';

/** The layer on x, with weights 2, 3, biases 1, −1 and running statistics 0.5, −0.5 and 1, 4 where it has them. */
function normalised(x: readonly number[], shape: Shape, options: BatchNormOptions, affine = true) {
  const b = new Builder();
  const [weight, bias] = ['weight', 'bias'].map((name) => b.parameter(name, [2]));
  const state = { runningMean: b.input('mean', [2]), runningVar: b.input('var', [2]) };
  const result = batchNorm(
    b,
    b.input('x', shape),
    affine ? { ...state, weight: weight!, bias: bias! } : state,
    options,
  );
  for (const [name, value] of Object.entries(result)) b.output(name, value);
  const numbers = { x, weight: [2, 3], bias: [1, -1], mean: [0.5, -0.5], var: [1, 4] };
  const results = interpret(b.build(), new Map(Object.entries(numbers)));
  return Object.fromEntries([...results].map(([name, data]) => [name, [...data]]));
}

const close = (actual: readonly number[] | undefined, expected: readonly number[]): void => {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual![i]).toBeCloseTo(value, 10);
};

describe('batchNorm', () => {
  it('normalises by the batch in training and moves the running statistics, the variance unbiased', () => {
    const { y, nextMean, nextVar } = normalised([1, 5, 3, 9], [2, 2], { training: true, momentum: 0.25, epsilon: 0 });
    close(y, [-1, -4, 3, 2]);
    close(nextMean, [0.75 * 0.5 + 0.25 * 2, 0.75 * -0.5 + 0.25 * 7]);
    close(nextVar, [0.75 * 1 + 0.25 * 2, 0.75 * 4 + 0.25 * 8]);
  });

  it('normalises by the running statistics in evaluation and keeps them', () => {
    const { y, nextMean, nextVar } = normalised([1, 5, 3, 9], [2, 2], { training: false, epsilon: 0 });
    close(y, [2, (3 * 5.5) / 2 - 1, 6, (3 * 9.5) / 2 - 1]);
    expect([nextMean, nextVar]).toEqual([
      [0.5, -0.5],
      [1, 4],
    ]);
  });

  it('works without scale and shift in both modes', () => {
    close(normalised([1, 5, 3, 9], [2, 2], { training: true, epsilon: 0 }, false).y, [-1, -1, 1, 1]);
    close(normalised([1, 5, 3, 9], [2, 2], { training: false, epsilon: 0 }, false).y, [0.5, 2.75, 2.5, 4.75]);
  });

  it.each([true, false])('refuses state of another number of channels, training: %s', (training) => {
    const b = new Builder();
    const [x, two, one] = [b.input('x', [3, 2, 4]), b.input('two', [2]), b.input('one', [1])];
    const state = { weight: two, bias: two, runningMean: two, runningVar: two };
    for (const name of ['weight', 'bias', 'runningMean', 'runningVar']) {
      const write = () => b.inLayer('norm', () => batchNorm(b, x, { ...state, [name]: one }, { training }));
      expect(write).toThrow(
        `Layer 'norm': Batch normalisation: ${name} must be [2], one number per channel of [3,2,4]`,
      );
    }
  });

  it('refuses to train on one number per channel', () => {
    expect(() => normalised([1, 2], [1, 2, 1, 1], { training: true })).toThrow(/more than one number per channel/);
  });
});
