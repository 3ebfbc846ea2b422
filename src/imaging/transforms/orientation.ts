/**
 * Turning the voxel axes to the world's: RAS, that is first axis to the right, second to anterior, third to superior.
 *
 * @module
 */
import { affineOf, linearPart, multiply, polarFactor, spacingOf } from '../affine';
import { spatialSize, type Volume, voxelsOf } from '../volume';

/** For each voxel axis: the world axis it runs along most, and in which direction. */
export interface AxisOrientation {
  readonly world: number;
  readonly sign: 1 | -1;
}

/**
 * The volume with its axes flipped and permuted so that they run to the right, to anterior and to superior; values are moved,
 * never interpolated. An image that runs so already is returned as it is, not copied.
 */
export function orientRas(volume: Volume): Volume {
  const axes = axisOrientations(volume);
  if (axes.every(({ world, sign }, axis) => world === axis && sign === 1)) return volume;
  const [channels] = volume.shape;
  const size = spatialSize(volume.shape);
  const inputStrides = [size[1] * size[2], size[2], 1];

  const outSize: [number, number, number] = [0, 0, 0];
  const strides = [0, 0, 0];
  const linear = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  const origin = [0, 0, 0];
  let start = 0;
  axes.forEach(({ world, sign }, axis) => {
    const last = sign === 1 ? 0 : size[axis]! - 1;
    outSize[world] = size[axis]!;
    strides[world] = sign * inputStrides[axis]!;
    start += last * inputStrides[axis]!;
    linear[axis]![world] = sign;
    origin[axis] = last;
  });
  const data = gather(volume.data, { channels, size: outSize, start, strides });
  return { data, shape: [channels, ...outSize], affine: multiply(volume.affine, affineOf(linear, origin)) };
}

/**
 * Which world axis each voxel axis runs along: the strongest entry of the rotation nearest to the affine (its polar factor),
 * axes taken in order of strength, each world axis once.
 */
export function axisOrientations({ affine }: Pick<Volume, 'affine'>): AxisOrientation[] {
  const zooms = spacingOf(affine);
  const rotation = polarFactor(linearPart(affine).map((row) => row.map((value, j) => value / zooms[j]!)));
  const strength = [0, 1, 2].map((j) => Math.max(...rotation.map((row) => Math.abs(row[j]!))));
  const order = [0, 1, 2].sort((a, b) => strength[b]! - strength[a]! || a - b);
  const result: AxisOrientation[] = [];
  for (const axis of order) {
    const column = rotation.map((row) => Math.abs(row[axis]!));
    const world = column.indexOf(Math.max(...column));
    result[axis] = { world, sign: rotation[world]![axis]! < 0 ? -1 : 1 };
    rotation[world] = [0, 0, 0];
  }
  return result;
}

interface GatherOptions {
  readonly channels: number;
  readonly size: readonly [number, number, number];
  /** Input offset of output voxel 0, and the step in the input for a step along each output axis. */
  readonly start: number;
  readonly strides: readonly number[];
}

function gather(data: Float32Array, { channels, size, start, strides }: GatherOptions): Float32Array {
  const voxels = voxelsOf(size);
  const out = new Float32Array(channels * voxels);
  const [sx, sy, sz] = strides as [number, number, number];
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < size[0]; x++) {
      for (let y = 0; y < size[1]; y++) {
        let from = c * voxels + start + x * sx + y * sy;
        if (sz === 1) {
          out.set(data.subarray(from, from + size[2]), at);
          at += size[2];
        } else {
          for (let z = 0; z < size[2]; z++, from += sz) out[at++] = data[from]!;
        }
      }
    }
  }
  return out;
}
