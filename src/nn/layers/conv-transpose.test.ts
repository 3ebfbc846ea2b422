import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../errors';
import { Builder } from '../../graph/builder';
import { interpret } from '../../graph/interpret';
import { type ConvTransposeOptions, convTranspose } from './conv-transpose';

function transposed(x: readonly number[], weight: readonly number[], options: ConvTransposeOptions): readonly number[] {
  const b = new Builder();
  const [image, kernel] = [b.input('x', [1, 1, x.length]), b.input('w', [1, 1, weight.length])];
  b.output('y', convTranspose(b, image, kernel, options));
  const feeds = new Map([
    ['x', x],
    ['w', weight],
  ]);
  return [...interpret(b.build(), feeds).get('y')!];
}

describe('convTranspose', () => {
  it('lays a copy of the kernel, scaled, at every step', () => {
    expect(transposed([1, 10], [1, 2, 3], { stride: [2] })).toEqual([1, 2, 13, 20, 30]);
    expect(transposed([1, 10], [1, 2, 3], {})).toEqual([1, 12, 23, 30]);
    expect(transposed([1, 10], [1, 2], { dilation: [2] })).toEqual([1, 10, 2, 20]);
  });

  it('cuts padding off both sides and adds output padding at the end', () => {
    expect(transposed([1, 10], [1, 2, 3], { stride: [2], padding: [1] })).toEqual([2, 13, 20]);
    expect(transposed([1, 10], [1, 2, 3], { stride: [2], padding: [1], outputPadding: [1] })).toEqual([2, 13, 20, 30]);
  });

  it('takes weights in the layout [I, O/groups, ...kernel]', () => {
    const b = new Builder();
    const x = b.input('x', [2, 4, 5, 6]);
    const y = convTranspose(b, x, b.input('w', [4, 3, 2, 3]), { stride: [2, 3], groups: 2 });
    expect(y.shape).toEqual([2, 6, 10, 18]);
  });

  it('refuses to leave nothing', () => {
    const empty = (): unknown => transposed([1], [1, 2], { padding: [1] });
    expect(empty).toThrow(ShapeError);
    expect(empty).toThrow('ConvInputGrad: the enlarged lengths [0] must be at least 1');
  });

  it('refuses an output padding that is not below the stride', () => {
    expect(() => transposed([1], [1], { outputPadding: [1] })).toThrow(
      'convTranspose: the output padding [1] must be below the stride [1] along each axis.',
    );
  });
});
