/**
 * Sampling a volume on another grid.
 *
 * @module
 */
import type { Matrix } from '../affine';
import { roundHalfEven } from '../round';
import { type Size3, type Volume, voxelsOf } from '../volume';

/** `bilinear`: trilinear in space. `nearest`: the nearest voxel, halves to even. */
export type Interpolation = 'bilinear' | 'nearest';

export interface ResampleOptions {
  /** 4×4: output index → input index. */
  readonly toInput: Matrix;
  readonly size: Size3;
  readonly mode: Interpolation;
}

/** Writes all channels of the input at a position inside it (float64 voxels) to output voxel `at`. */
type Sampler = (x: number, y: number, z: number, at: number) => void;

/** The volume sampled at `toInput · index` for each output index; positions outside are moved to the border. */
export function resample(volume: Volume, { toInput, size, mode }: ResampleOptions): Pick<Volume, 'data' | 'shape'> {
  const [channels, nx, ny, nz] = volume.shape;
  const data = new Float32Array(channels * voxelsOf(size));
  const sample = mode === 'bilinear' ? linearSampler(volume, data) : nearestSampler(volume, data);
  const [ax, ay, az] = toInput as [number[], number[], number[]];
  let at = 0;
  for (let x = 0; x < size[0]; x++) {
    for (let y = 0; y < size[1]; y++) {
      for (let z = 0; z < size[2]; z++, at++) {
        sample(clamp(dot(ax, x, y, z), nx), clamp(dot(ay, x, y, z), ny), clamp(dot(az, x, y, z), nz), at);
      }
    }
  }
  return { data, shape: [channels, ...size] };
}

function dot(row: readonly number[], x: number, y: number, z: number): number {
  return row[0]! * x + row[1]! * y + row[2]! * z + row[3]!;
}

function clamp(position: number, n: number): number {
  return position < 0 ? 0 : Math.min(position, n - 1);
}

function nearestSampler({ data, shape: [channels, nx, ny, nz] }: Volume, out: Float32Array): Sampler {
  const from = nx * ny * nz;
  const to = out.length / channels;
  return (x, y, z, at) => {
    const source = (roundHalfEven(x) * ny + roundHalfEven(y)) * nz + roundHalfEven(z);
    for (let c = 0; c < channels; c++) out[c * to + at] = data[c * from + source]!;
  };
}

function linearSampler({ data, shape: [channels, nx, ny, nz] }: Volume, out: Float32Array): Sampler {
  const from = nx * ny * nz;
  const to = out.length / channels;
  return (x, y, z, at) => {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const z0 = Math.floor(z);
    // The last voxel has no next one; its weight is then 0 and any valid neighbour serves.
    const dx = x0 + 1 < nx ? ny * nz : 0;
    const dy = y0 + 1 < ny ? nz : 0;
    const dz = z0 + 1 < nz ? 1 : 0;
    const fx = x - x0;
    const fy = y - y0;
    const fz = z - z0;
    for (let c = 0; c < channels; c++) {
      const i = c * from + (x0 * ny + y0) * nz + z0;
      const low = mix(mix(data[i]!, data[i + dz]!, fz), mix(data[i + dy]!, data[i + dy + dz]!, fz), fy);
      const j = i + dx;
      const high = mix(mix(data[j]!, data[j + dz]!, fz), mix(data[j + dy]!, data[j + dy + dz]!, fz), fy);
      out[c * to + at] = mix(low, high, fx);
    }
  };
}

function mix(a: number, b: number, weight: number): number {
  return a + (b - a) * weight;
}
