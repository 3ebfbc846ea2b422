import { describe, expect, it } from 'vitest';
import { filled } from '../../../test/golden/fill';
import { Builder } from '../../graph/builder';
import { pixelShuffle } from '../../graph/functions';
import type { Graph, Value } from '../../graph/graph';
import { interpret } from '../../graph/interpret';
import { toInferenceOnnx } from '../../onnx/inference-export';
import { openSession } from '../../onnx/session';
import { type Shape, sizeOf } from '../../tensor/tensor';
import { batchNorm } from './batch-norm';
import { convTranspose } from './conv-transpose';
import { instanceNorm } from './norm';
import { averagePool, globalAveragePool, maxPool } from './pool';
import { resize } from './resize';

/** Networks of images `[N, 4, H, W]`. */
const networks: Readonly<Record<string, (b: Builder, x: Value) => Value>> = {
  'dilated and grouped convolutions': (b, x) => {
    const dilated = b.conv(x, b.parameter('w0', [4, 4, 3, 3]), { stride: [1, 1], padding: [2, 2], dilation: [2, 2] });
    return b.conv(dilated, b.parameter('w1', [8, 1, 3, 2]), { stride: [2, 1], padding: [1, 0], groups: 4 });
  },
  'transposed convolutions': (b, x) => {
    const doubled = convTranspose(b, x, b.parameter('w0', [4, 3, 2, 2]), { stride: [2, 2] });
    const options = { stride: [2, 2], padding: [1, 1], outputPadding: [1, 1] };
    return b.add(b.reduceSum(doubled, [1]), convTranspose(b, x, b.parameter('w1', [4, 1, 3, 3]), options));
  },
  poolings: (b, x) => {
    const pooled = maxPool(b, x, { kernel: 3, stride: 2, padding: 1 });
    const counted = averagePool(b, x, { kernel: 3, stride: 2, padding: 1 });
    return b.add(
      pooled,
      b.sub(counted, averagePool(b, x, { kernel: 3, stride: 2, padding: 1, countIncludePad: false })),
    );
  },
  'channels weighted by their means': (b, x) => b.mul(x, b.sigmoid(globalAveragePool(b, x))),
  'channels that become voxels': (b, x) => pixelShuffle(b, x, 2),
  'resizing to a scale': (b, x) => {
    const linear = resize(b, x, { mode: 'linear', scale: [1.5, 2] });
    return b.add(
      b.add(linear, resize(b, x, { scale: [1.5, 2] })),
      resize(b, x, { mode: 'linear', alignCorners: true, scale: [1.5, 2] }),
    );
  },
  'resizing to a size': (b, x) => resize(b, x, { mode: 'linear', size: [5, 3] }),
  'normalisation by running statistics and by the image': (b, x) => {
    const [weight, bias, runningMean, runningVar] = ['a', 'b', 'c', 'd'].map((name) => b.parameter(name, [4]));
    const state = { weight: weight!, bias: bias!, runningMean: runningMean!, runningVar: runningVar! };
    return instanceNorm(b, batchNorm(b, x, state, { training: false }).y, { training: false });
  },
};

function networkOf(title: string, shape: Shape): Graph {
  const b = new Builder();
  b.output('y', networks[title]!(b, b.input('x', shape)));
  return b.build();
}

describe('layers in an inference export', () => {
  it.each(Object.keys(networks))('are one model for every batch and image size: %s', async (title) => {
    const small = networkOf(title, [1, 4, 6, 4]);
    const named = [...small.parameters].map(([name, { shape }], i) => {
      return [name, { dtype: 'float32', shape, data: filled(i + 1, sizeOf(shape)) }] as const;
    });
    const session = await openSession(toInferenceOnnx(small, new Map(named)), { threads: 1 });
    for (const shape of [
      [1, 4, 6, 4],
      [3, 4, 7, 9],
    ]) {
      const image = filled(0, sizeOf(shape)).map((value) => 2 * value - 1);
      const weights = named.map(([name, { data }]) => [name, data] as const);
      const expected = interpret(networkOf(title, shape), new Map([['x', image], ...weights])).get('y')!;
      const actual = (await session.run(new Map([['x', { shape, data: image }]]))).get('y')!;
      expect(actual.length).toBe(expected.length);
      for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(3e-6);
    }
  });
});
