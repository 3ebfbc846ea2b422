/**
 * Upsampling by a sub-pixel convolution, with MONAI's names and start.
 *
 * @module
 */
import { padSpatial, pixelShuffle } from '../../graph/functions';
import { sizeOf } from '../../tensor/tensor';
import { averagePool } from '../layers/pool';
import type { Initialiser, ParameterSpec } from '../models/definition';
import { convolution } from './convolution';
import { compose, type Module } from './module';
import { redrawn } from './redrawn';

const BLOCK = 2;

/**
 * Lengths doubled: a convolution of kernel 3 to 2^dims times `outs` channels, which become voxels, and then the mean of each
 * voxel and those before it along each axis, zeros before the first (Aitken et al. 2017, arXiv:1707.02937).
 */
export function doublingSubpixel(dims: number, ins: number, outs = ins): Module {
  const wide = convolution({ dims, ins, outs: outs * BLOCK ** dims, kernel: 3 });
  return compose({ conv_block: redrawn(wide, equalInBlocks) }, (call, { b }, x) => {
    const voxels = pixelShuffle(b, call('conv_block', x!), BLOCK);
    const [one, none] = [1, 0].map((n) => new Array<number>(dims).fill(n));
    return averagePool(b, padSpatial(b, voxels, 'zero', one!, none!), { kernel: BLOCK, stride: 1 });
  });
}

/** The voxels of a block start equal ("ICNR"), from a normal distribution after He et al. (2015, arXiv:1502.01852). */
function equalInBlocks({ name, shape }: ParameterSpec): Initialiser | undefined {
  if (name !== 'weight') return undefined;
  const [, ...row] = shape;
  const copies = BLOCK ** (shape.length - 2);
  return { kind: 'normal', mean: 0, deviation: Math.sqrt(2 / sizeOf(row)), copies };
}
