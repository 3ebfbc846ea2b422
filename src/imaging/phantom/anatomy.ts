/**
 * A healthy brain without its skull: where it is and which tissue each voxel holds.
 *
 * @module
 */
import type { MersenneTwister } from '../../util/mersenne-twister';
import { type Size3, voxelsOf } from '../volume';
import { smoothField } from './smooth-field';

/** Tissue shares of every voxel; white matter is what is left. Index axes: x to the left, y to posterior, z up. */
export interface Anatomy {
  readonly size: Size3;
  /** Centre and half axes of the brain in voxels. */
  readonly centre: Size3;
  readonly radii: Size3;
  /** 1 inside the brain. */
  readonly mask: Uint8Array;
  readonly fluid: Float32Array;
  readonly grey: Float32Array;
}

/** Draws a brain that nearly fills the image. */
export function drawAnatomy(random: MersenneTwister, size: Size3): Anatomy {
  const centre = size.map((n) => (n - 1) / 2 + random.uniform(-0.015, 0.015) * n) as [number, number, number];
  const shares = [0.42, 0.46, 0.45];
  const radii = size.map((n, axis) => n * shares[axis]! * random.uniform(0.94, 1)) as [number, number, number];
  const extent = Math.cbrt(radii[0] * radii[1] * radii[2]);
  const outline = smoothField(random, size, extent / 2.5);
  const folds = smoothField(random, size, Math.max(2.5, extent / 9));

  const voxels = voxelsOf(size);
  const mask = new Uint8Array(voxels);
  const fluid = new Float32Array(voxels);
  const grey = new Float32Array(voxels);
  let at = 0;
  for (let x = 0; x < size[0]; x++) {
    const px = (x - centre[0]) / radii[0];
    for (let y = 0; y < size[1]; y++) {
      const py = (y - centre[1]) / radii[1];
      // Narrow in front, wide behind.
      const side = px / (1 + 0.1 * py);
      for (let z = 0; z < size[2]; z++, at++) {
        const height = (z - centre[2]) / radii[2];
        const pz = height < 0 ? height * 1.12 : height; // Flatter at the base.
        const depth = Math.sqrt(side * side + py * py + pz * pz) * (1 + 0.025 * outline[at]!);
        if (depth >= 1) continue;
        mask[at] = 1;
        const fold = folds[at]!;
        fluid[at] = fluidShare(px, py, pz, depth, fold);
        grey[at] = greyShare(px, py, pz, depth, fold) * (1 - fluid[at]!);
      }
    }
  }
  return { size, centre, radii, mask, fluid, grey };
}

/** Ventricles, the fissure between the hemispheres, and sulci: they run where the folding field changes its sign. */
function fluidShare(px: number, py: number, pz: number, depth: number, fold: number): number {
  const beside = Math.abs(px) - 0.1 - 0.16 * py * py;
  const ventricle = soft(1 - (beside / 0.075) ** 2 - (py / 0.42) ** 2 - ((pz - 0.08) / 0.22) ** 2, 0.45);
  const fissure = Math.exp(-((px / 0.035) ** 2)) * ramp(depth, 0.5, 0.85);
  const sulcus = Math.exp(-((fold / 0.22) ** 2)) * ramp(depth, 0.74, 0.96);
  return Math.max(ventricle, 0.75 * fissure, 0.85 * sulcus);
}

/** The cortex along the surface and the sulci, and the nuclei beside the ventricles. */
function greyShare(px: number, py: number, pz: number, depth: number, fold: number): number {
  const cortex = Math.max(ramp(depth, 0.86, 0.95), Math.exp(-((fold / 0.55) ** 2)) * ramp(depth, 0.5, 0.78));
  const nucleus = soft(
    1 - ((Math.abs(px) - 0.3) / 0.13) ** 2 - ((py - 0.02) / 0.26) ** 2 - ((pz + 0.06) / 0.22) ** 2,
    0.4,
  );
  return Math.max(cortex, 0.9 * nucleus);
}

/** 0 below `from`, 1 above `to`, smooth between. */
export function ramp(value: number, from: number, to: number): number {
  const t = (value - from) / (to - from);
  if (t <= 0) return 0;
  return t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/** An inside test made soft: 0 for −width and less, 1 for +width and more. */
function soft(value: number, width: number): number {
  return ramp(value, -width, width);
}
