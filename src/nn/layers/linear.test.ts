import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { gemm } from '../../graph/functions';
import { interpret } from '../../graph/interpret';
import { linear } from './linear';

describe('linear', () => {
  it.each([
    { x: [2], y: [2.5, 6.5, 7.5], of: [1, 1] },
    { x: [2, 2], y: [2.5, 6.5, 7.5, 3.5, 9.5, 10.5], of: [1, 1, 2, 1] },
    { x: [1, 1, 2], y: [2.5, 6.5, 7.5], of: [1, 1] },
  ])('multiplies the last axis of [$x] by each row of the weight and adds the bias', ({ x, y, of }) => {
    const b = new Builder();
    const weight = b.parameter('weight', [3, 2]);
    b.output('y', linear(b, b.input('x', x), weight, b.parameter('bias', [3])));
    b.output('plain', linear(b, b.input('again', x), weight));
    const feeds = new Map([
      ['x', of],
      ['again', of],
      ['weight', [1, 2, 3, 4, 3, 5]],
      ['bias', [-0.5, -0.5, -0.5]],
    ]);
    const results = interpret(b.build(), feeds);
    expect([...results.get('y')!]).toEqual(y);
    expect([...results.get('plain')!]).toEqual(y.map((value) => value + 0.5));
  });

  it('names both shapes when the weight does not fit', () => {
    const b = new Builder();
    expect(() => linear(b, b.input('x', [2, 4]), b.input('weight', [3, 5]))).toThrow(/MatMul: .*\[2,4\], \[5,3\]/);
  });
});

describe('gemm', () => {
  it('computes alpha·xᵀ·yᵀ + beta·c', () => {
    const b = new Builder();
    const [x, y, c] = [b.input('x', [2, 1]), b.input('y', [3, 2]), b.input('c', [])];
    b.output('out', gemm(b, x, y, c, { alpha: 2, beta: 3, transX: true, transY: true }));
    const feeds = new Map([
      ['x', [1, 2]],
      ['y', [1, 2, 3, 4, 5, 6]],
      ['c', [1]],
    ]);
    expect([...interpret(b.build(), feeds).get('out')!]).toEqual([13, 25, 37]);
  });
});
