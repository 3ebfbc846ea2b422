import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../errors';
import { Builder } from '../../graph/builder';
import type { Shape } from '../../tensor/tensor';
import { instanceNorm } from './norm';

describe('instanceNorm', () => {
  const write = (shape: Shape, training: boolean): Shape => {
    const b = new Builder();
    return instanceNorm(b, b.input('x', shape), { training }).shape;
  };

  it('refuses to train on one voxel per channel, whatever the batch', () => {
    for (const shape of [
      [1, 2, 1, 1],
      [4, 2, 1, 1, 1],
    ]) {
      expect(() => write(shape, true)).toThrow(ShapeError);
      expect(() => write(shape, true)).toThrow(`needs more than one voxel per channel, not [${shape}]`);
      expect(write(shape, false)).toEqual(shape);
    }
    expect(write([1, 2, 1, 2], true)).toEqual([1, 2, 1, 2]);
  });

  it('names the layer that has one voxel only', () => {
    const b = new Builder();
    const x = b.input('x', [2, 4, 1, 1]);
    const write = () => b.inLayer('model.4.norm', () => instanceNorm(b, x, { training: true }));
    expect(write).toThrow(ShapeError);
    expect(write).toThrow(/^Layer 'model.4.norm': Instance normalisation in training needs/);
  });
});
