import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { differentiate } from '../../graph/differentiate';
import { interpret } from '../../graph/interpret';
import { layerNorm } from './layer-norm';

describe('layerNorm', () => {
  it('gives every row mean 0 and variance 1, then scale and shift', () => {
    const b = new Builder();
    const x = b.input('x', [2, 1, 3]);
    b.output('plain', layerNorm(b, x, { shape: [3], epsilon: 0 }));
    const [weight, bias] = [b.parameter('weight', [1, 3]), b.parameter('bias', [1, 3])];
    const y = layerNorm(b, x, { shape: [1, 3], weight, bias, epsilon: 0 });
    b.output('y', y);
    for (const [i, d] of differentiate(b, b.reduceSum(y), [weight, bias]).entries()) b.output(`d${i}`, d);
    const feeds = { x: [1, 2, 3, -10, 0, 10], weight: [1, 2, 3], bias: [0, 1, 0] };
    const results = interpret(b.build(), new Map(Object.entries(feeds)));
    const r = Math.sqrt(1.5);
    const near = (name: string, expected: readonly number[]): void => {
      for (const [i, value] of expected.entries()) expect(results.get(name)![i], name).toBeCloseTo(value, 10);
    };
    near('plain', [-r, 0, r, -r, 0, r]);
    near('y', [-r, 1, 3 * r, -r, 1, 3 * r]);
    near('d0', [-2 * r, 0, 2 * r]);
    near('d1', [2, 2, 2]);
  });

  it('refuses an input that does not end in its shape', () => {
    const b = new Builder();
    const x = b.input('x', [2, 3]);
    expect(() => b.inLayer('norm', () => layerNorm(b, x, { shape: [2] }))).toThrow(
      "Layer 'norm': layerNorm: the input [2,3] must end in [2]",
    );
    expect(() => layerNorm(b, x, { shape: [] })).toThrow(/one axis or more/);
  });
});
