/**
 * A glioma: edema around a core of enhancing rim and necrosis (high grade) or of solid tissue (low grade).
 *
 * @module
 */
import type { MersenneTwister } from '../../util/mersenne-twister';
import { voxelsOf } from '../volume';
import { type Anatomy, ramp } from './anatomy';
import { smoothField } from './smooth-field';

export type Grade = 'HGG' | 'LGG';

/** What the tumour is made of. */
export interface Tumour {
  /** 0, 1 necrosis or solid core, 2 edema, 4 enhancing. */
  readonly labels: Uint8Array;
  /** Shares in [0, 1], soft over about one voxel at the borders: a part takes the place of what is listed before it. */
  readonly edema: Float32Array;
  readonly rim: Float32Array;
  readonly core: Float32Array;
}

export interface TumourOptions {
  readonly grade: Grade;
  /** Whether a low-grade tumour has an enhancing part; a high-grade one always has. */
  readonly enhancing: boolean;
}

/** The same for all voxels of a tumour. */
interface Plan {
  /** In voxels. */
  readonly centre: readonly [number, number, number];
  readonly stretch: readonly [number, number, number];
  readonly radius: number;
  /** Radius of the core as a share of the whole. */
  readonly core: number;
  /** Where the core enhances, in tumour coordinates: beyond a radius (high grade), in a spot or nowhere (low grade). */
  readonly enhancement: { readonly beyond: number } | { readonly spot: readonly number[] } | 'none';
}

/** Radius of the enhancing spot of a low-grade tumour, as a share of the whole. */
const SPOT_RADIUS = 0.42;

/** Draws a tumour inside the brain, to one side of the midline. Its whole diameter is about half of the brain's. */
export function drawTumour(random: MersenneTwister, anatomy: Anatomy, options: TumourOptions): Tumour {
  const { size, mask, fluid } = anatomy;
  const plan = drawPlan(random, anatomy, options);
  const shape = smoothField(random, size, plan.radius / 1.5);
  const fingers = smoothField(random, size, Math.max(2, plan.radius / 3));
  const { centre, stretch, radius } = plan;
  const voxels = voxelsOf(size);
  const labels = new Uint8Array(voxels);
  const edema = new Float32Array(voxels);
  const rim = new Float32Array(voxels);
  const core = new Float32Array(voxels);
  let at = 0;
  for (let x = 0; x < size[0]; x++) {
    const qx = (x - centre[0]) / stretch[0];
    for (let y = 0; y < size[1]; y++) {
      const qy = (y - centre[1]) / stretch[1];
      for (let z = 0; z < size[2]; z++, at++) {
        const qz = (z - centre[2]) / stretch[2];
        const distance = Math.sqrt(qx * qx + qy * qy + qz * qz);
        if (distance > 1.8 || mask[at] === 0) continue;
        const warped = distance * (1 + 0.14 * shape[at]!);
        const coreDepth = (plan.core - warped - 0.03 * fingers[at]!) * radius;
        // Edema spreads in fingers and not into fluid; the core pushes everything aside.
        const edemaDepth = (1 - warped - 0.12 * fingers[at]! - 0.5 * fluid[at]! * ramp(warped, plan.core, 1)) * radius;
        const quietDepth = quietDepthAt(plan, [qx, qy, qz], warped + 0.07 * fingers[at]!);
        if (coreDepth > 0) labels[at] = quietDepth > 0 ? 1 : 4;
        else if (edemaDepth > 0) labels[at] = 2;
        const inCore = share(coreDepth);
        core[at] = inCore * share(quietDepth);
        rim[at] = inCore - core[at]!;
        edema[at] = share(edemaDepth) * (1 - inCore);
      }
    }
  }
  return { labels, edema, rim, core };
}

function drawPlan(random: MersenneTwister, anatomy: Anatomy, { grade, enhancing }: TumourOptions): Plan {
  const [rx, ry, rz] = anatomy.radii;
  const radius = Math.cbrt(rx * ry * rz) * random.uniform(0.44, 0.52);
  const side = random.random() < 0.5 ? -1 : 1;
  const shift = [side * random.uniform(0.34, 0.46), random.uniform(-0.42, 0.42), random.uniform(-0.12, 0.3)];
  const along = (axis: 0 | 1 | 2): number => anatomy.centre[axis] + shift[axis]! * anatomy.radii[axis];
  const stretch = (): number => radius * random.uniform(0.88, 1.14);
  const low = grade === 'LGG';
  const core = low ? random.uniform(0.74, 0.82) : random.uniform(0.66, 0.76);
  const spot = [0, 1, 2].map(() => random.uniform(-0.3, 0.3));
  const beyond = core * random.uniform(0.5, 0.64);
  return {
    centre: [along(0), along(1), along(2)],
    stretch: [stretch(), stretch(), stretch()],
    radius,
    core,
    enhancement: low ? (enhancing ? { spot } : 'none') : { beyond },
  };
}

/** How deep in the part of the core that does not enhance a point lies, in voxels; negative where it enhances. */
function quietDepthAt({ enhancement, radius }: Plan, [x, y, z]: [number, number, number], warped: number): number {
  if (enhancement === 'none') return radius;
  if ('beyond' in enhancement) return (enhancement.beyond - warped) * radius;
  const [sx, sy, sz] = enhancement.spot as [number, number, number];
  return (Math.hypot(x - sx, y - sy, z - sz) - SPOT_RADIUS) * radius;
}

/** The share of a voxel that lies inside a border `depth` voxels away. */
function share(depth: number): number {
  return Math.min(Math.max(depth + 0.5, 0), 1);
}
