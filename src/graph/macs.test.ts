import { describe, expect, it } from 'vitest';
import { Builder } from './builder';
import { macsOf } from './macs';
import { convAttrs } from './ops/conv';

describe('macsOf', () => {
  const b = new Builder();
  const weight = b.input('w', [6, 2, 3, 3]);
  const attrs = convAttrs({ stride: [2, 2], padding: [1, 1], groups: 2 });
  const last = (): number => macsOf(b.nodes.at(-1)!);

  it('counts, for each output of a convolution, its kernel over the channels of its group', () => {
    b.conv(b.input('x', [1, 4, 8, 8]), weight, attrs);
    expect(last()).toBe(6 * 4 * 4 * (2 * 9));
  });

  it('counts both gradients of a convolution as much as the convolution', () => {
    const dy = b.input('dy', [1, 6, 4, 4]);
    b.emit('ConvInputGrad', [dy, weight], { ...attrs, spatial: [8, 8] });
    expect(last()).toBe(6 * 4 * 4 * (2 * 9));
    b.emit('ConvWeightGrad', [b.input('x2', [1, 4, 8, 8]), dy], { ...attrs, kernel: [3, 3] });
    expect(last()).toBe(6 * 4 * 4 * (2 * 9));
  });

  it('counts the products of a matrix product, and nothing else', () => {
    const [x, y] = [b.input('m', [5, 2, 3]), b.input('n', [3, 4])];
    b.emit('MatMul', [x, y], {});
    expect(last()).toBe(5 * 2 * 4 * 3);
    b.relu(x);
    expect(last()).toBe(0);
  });
});
