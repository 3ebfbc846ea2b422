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

  it('shows what lies beyond the padding, then zeros, where output padding is below the dilation only', () => {
    // torch.nn.functional.conv_transpose1d([1, 10], [1, 2, 3], stride=1, padding=…, output_padding=…, dilation=3)
    expect(transposed([1, 10], [1, 2, 3], { outputPadding: [2], dilation: [3] })).toEqual([
      1, 10, 0, 2, 20, 0, 3, 30, 0, 0,
    ]);
    expect(transposed([1, 10], [1, 2, 3], { padding: [1], outputPadding: [2], dilation: [3] })).toEqual([
      10, 0, 2, 20, 0, 3, 30, 0,
    ]);
    const b = new Builder();
    const y = convTranspose(b, b.input('x', [1, 1, 4, 4]), b.input('w', [1, 1, 3, 3]), {
      stride: [2, 1],
      outputPadding: [1, 2],
      dilation: [1, 3],
    });
    expect(y.shape).toEqual([1, 1, 10, 12]);
  });

  const shaped = (x: readonly number[], weight: readonly number[], options: ConvTransposeOptions = {}) => {
    const b = new Builder();
    const [image, kernel] = [b.input('x', x), b.input('w', weight)];
    return () => b.inLayer('up.0', () => convTranspose(b, image, kernel, options));
  };

  it.each([
    ['nothing left', shaped([1, 1, 1], [1, 1, 2], { padding: [1] }), /padding \[1\] leaves lengths of \[0\]/],
    ['other channels', shaped([1, 2, 4], [3, 1, 2]), /as many input channels \(axis 0\) as the input has channels/],
    ['other axes', shaped([1, 1, 4], [1, 1, 2, 2]), /the same number of axes/],
    ['no axes', shaped([1, 1], [1, 1]), /one to three spatial axes/],
    ['groups', shaped([1, 3, 4], [3, 1, 2], { groups: 2 }), /groups \(2\) must divide the input's channels/],
    ['a stride of another rank', shaped([1, 1, 4], [1, 1, 2], { stride: [1, 1] }), /stride \[1,1\] must give/],
    ['an output padding', shaped([1, 1, 4], [1, 1, 2], { outputPadding: [1] }), /must be below the stride \[1\] or/],
  ])('refuses %s in the words of its caller, with the layer and both shapes', (_, write, message) => {
    expect(write).toThrow(ShapeError);
    expect(write).toThrow(message);
    expect(write).toThrow(/^Layer 'up\.0': convTranspose: .*the input is \[.*\] and the weight \[/);
  });
});
