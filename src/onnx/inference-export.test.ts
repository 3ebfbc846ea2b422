import { describe, expect, it } from 'vitest';
import { filled } from '../../test/golden/fill';
import { Builder } from '../graph/builder';
import * as f from '../graph/functions';
import type { Graph, Value } from '../graph/graph';
import { interpret } from '../graph/interpret';
import { type Shape, sizeOf } from '../tensor/tensor';
import { toInferenceOnnx } from './inference-export';
import { openSession } from './session';

/** A network of one expression, for images of one size. */
function networkOf(write: (b: Builder, x: Value) => Value, shape: Shape): Graph {
  const b = new Builder();
  b.output('y', write(b, b.input('x', shape)));
  return b.build();
}

const networks: Readonly<Record<string, (b: Builder, x: Value) => Value>> = {
  'arithmetic and activations': (b, x) => {
    const slope = b.parameter('slope', [2]);
    const y = f.tanh(b, f.leakyRelu(b, f.pRelu(b, x, slope), 0.2));
    return b.div(b.sub(f.softplus(b, y), f.exp(b, b.neg(y))), b.add(f.abs(b, y), b.scalar(1)));
  },
  'bounds, powers and choices': (b, x) => {
    const positive = f.maximum(b, f.clip(b, x, { min: 0.1 }), f.minimum(b, x, b.scalar(0.2)));
    const power = f.pow(b, positive, b.scalar(1.5));
    return f.where(b, f.less(b, x, b.scalar(0.5)), b.sqrt(power), b.mul(f.log(b, positive), f.sign(b, x)));
  },
  'comparisons as numbers': (b, x) => {
    const half = b.scalar(0.5);
    return b.add(f.greater(b, x, half), b.add(f.lessOrEqual(b, x, half), f.equal(b, x, x)));
  },
  'channels apart and together': (b, x) => {
    const [first, second] = f.split(b, x, [1, 1]);
    return f.softmax(b, f.concat(b, [second!, f.logSoftmax(b, x), first!]));
  },
  margins: (b, x) =>
    f.padSpatial(b, f.padSpatial(b, f.padSpatial(b, x, 'reflect', [1, 2]), 'edge', [1, 1]), 'zero', [0, 1]),
  'every other row, the rest of each': (b, x) =>
    f.sliceAxis(b, f.sliceAxis(b, x, 2, 0, x.shape[2]!, 2), 3, 1, x.shape[3]!),
  'reductions over channels': (b, x) =>
    b.sub(b.reduceSum(x, [1]), b.mul(f.reduceMax(b, x, [1]), f.reduceMin(b, x, [1]))),
  'a maximum over the image': (b, x) => f.reduceMax(b, x, [2, 3]),
  'a product over channels': (b, x) => {
    const mixed = f.matMul(b, b.transpose(x, [0, 2, 3, 1]), f.swapLast(b, b.parameter('weight', [3, 2])));
    return b.transpose(mixed, [0, 3, 1, 2]);
  },
};

describe('toInferenceOnnx', () => {
  it.each(Object.keys(networks))('gives one model for every batch and image size: %s', async (title) => {
    const small = networkOf(networks[title]!, [1, 2, 4, 5]);
    const named = [...small.parameters].map(([name, { shape }], i) => {
      return [name, { dtype: 'float32', shape, data: filled(i + 1, sizeOf(shape)) }] as const;
    });
    const session = await openSession(toInferenceOnnx(small, new Map(named)), { threads: 1 });
    for (const shape of [
      [1, 2, 4, 5],
      [3, 2, 7, 4],
    ]) {
      const image = filled(0, sizeOf(shape)).map((value) => 2 * value - 1);
      const weights = named.map(([name, { data }]) => [name, data] as const);
      const expected = interpret(networkOf(networks[title]!, shape), new Map([['x', image], ...weights])).get('y')!;
      const actual = (await session.run(new Map([['x', { shape, data: image }]]))).get('y')!;
      expect(actual.length).toBe(expected.length);
      for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-6);
    }
  });

  it.each<readonly [string, RegExp, (b: Builder, x: Value) => Value]>([
    ['a shape', /Reshape .* the shape \[40\] is one for inputs of one size/, (b, x) => b.reshape(x, [40])],
    ['a place in the image', /Slice .*near the end/, (b, x) => f.sliceAxis(b, x, 2, 0, 3)],
    ['a mean over the image', /ReduceSum .*length may change/, (b, x) => f.reduceMean(b, x, [2, 3])],
    ['a row of the image', /Gather .*axis 2 may change/, (b, x) => f.gather(b, x, b.scalar(1), 2)],
    ['an operator of training', /ReluGrad cannot be exported/, (b, x) => b.emit('ReluGrad', [x, x], {})],
  ])('refuses what holds for one size only: %s', (_, message, write) => {
    expect(() => toInferenceOnnx(networkOf(write, [1, 2, 4, 5]), new Map())).toThrow(message);
  });
});
