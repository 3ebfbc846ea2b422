/**
 * How a brain looks in four MR sequences, and how the scanners of the sites differ.
 *
 * @module
 */
import type { MersenneTwister } from '../../util/mersenne-twister';
import { voxelsOf } from '../volume';
import type { Anatomy } from './anatomy';
import { smear } from './smear';
import { roughNormal, smoothField } from './smooth-field';
import type { Grade, Tumour } from './tumour';

/** The modalities, in the order of a BraTS datalist. */
export const MODALITIES = ['t1ce', 't1', 't2', 'flair'] as const;

export type Modality = (typeof MODALITIES)[number];

/** What differs from scanner to scanner. */
export interface Scanner {
  /** Stored intensity of the brightest tissue. */
  readonly gain: number;
  /** Exponent of the contrast curve: below 1 greys are brighter. */
  readonly gamma: number;
  /** Deviation of the noise, as a share of the brightest tissue. */
  readonly noise: number;
  /** Deviation of the smooth change of brightness over the image. */
  readonly bias: number;
  /** Share of a voxel that leaks into its two neighbours along each axis, in [0, 0.5). */
  readonly blur: number;
}

const scanners: readonly Scanner[] = [
  { gain: 900, gamma: 1, noise: 0.01, bias: 0.04, blur: 0.1 },
  { gain: 1700, gamma: 0.85, noise: 0.02, bias: 0.08, blur: 0.2 },
  { gain: 480, gamma: 1.2, noise: 0.015, bias: 0.06, blur: 0.24 },
  { gain: 2600, gamma: 1, noise: 0.03, bias: 0.1, blur: 0.16 },
];

/** The scanner of the i-th site. */
export function scannerOf(site: number): Scanner {
  return scanners[site % scanners.length]!;
}

/** Signal of each tissue, 1 the brightest. `necrosis` fills a high-grade core, `solid` a low-grade one. */
interface Contrast {
  readonly fluid: number;
  readonly grey: number;
  readonly white: number;
  readonly edema: number;
  readonly rim: number;
  readonly necrosis: number;
  readonly solid: number;
}

const contrasts: Readonly<Record<Modality, Contrast>> = {
  t1ce: { fluid: 0.16, grey: 0.42, white: 0.56, edema: 0.38, rim: 1, necrosis: 0.2, solid: 0.28 },
  t1: { fluid: 0.18, grey: 0.52, white: 0.72, edema: 0.47, rim: 0.42, necrosis: 0.26, solid: 0.3 },
  t2: { fluid: 1, grey: 0.54, white: 0.36, edema: 0.78, rim: 0.62, necrosis: 0.92, solid: 0.95 },
  flair: { fluid: 0.14, grey: 0.5, white: 0.4, edema: 0.92, rim: 0.72, necrosis: 0.38, solid: 0.7 },
};

/** Steps of the contrast curve from 0 to the brightest tissue: a power a voxel would take most of the time. */
const CURVE_STEPS = 4096;

/** One modality as stored: whole numbers of at least 1 in the brain, exactly 0 outside. */
export function acquire(
  random: MersenneTwister,
  { anatomy, tumour, grade }: { readonly anatomy: Anatomy; readonly tumour: Tumour; readonly grade: Grade },
  {
    modality,
    scanner,
    texture,
  }: { readonly modality: Modality; readonly scanner: Scanner; readonly texture: Float32Array },
): Int16Array {
  const { size, mask } = anatomy;
  const signal = blend(anatomy, tumour, contrasts[modality], grade);
  for (const step of [size[1] * size[2], size[2], 1]) smear(signal, mask, step, scanner.blur);
  const bias = smoothField(random, size, Math.max(...size) / 2);
  const curve = Float32Array.from({ length: 2 * CURVE_STEPS }, (_, i) => ((i + 0.5) / CURVE_STEPS) ** scanner.gamma);
  const stored = new Int16Array(voxelsOf(size));
  for (let i = 0; i < stored.length; i++) {
    if (mask[i] === 0) continue;
    const contrast = curve[Math.min(signal[i]! * (1 + 0.04 * texture[i]!) * CURVE_STEPS, curve.length - 1) | 0]!;
    const brightness = Math.max(1 + scanner.bias * bias[i]!, 0.5);
    const value = contrast * brightness + scanner.noise * roughNormal(random);
    stored[i] = Math.min(Math.max(Math.round(scanner.gain * value), 1), 32767);
  }
  return stored;
}

function blend(anatomy: Anatomy, tumour: Tumour, contrast: Contrast, grade: Grade): Float32Array {
  const core = grade === 'HGG' ? contrast.necrosis : contrast.solid;
  const signal = new Float32Array(anatomy.mask.length);
  for (let i = 0; i < signal.length; i++) {
    if (anatomy.mask[i] === 0) continue;
    const fluid = anatomy.fluid[i]!;
    const grey = anatomy.grey[i]!;
    const healthy = contrast.fluid * fluid + contrast.grey * grey + contrast.white * (1 - fluid - grey);
    const [edema, rim, necrotic] = [tumour.edema[i]!, tumour.rim[i]!, tumour.core[i]!];
    signal[i] = healthy * (1 - edema - rim - necrotic) + contrast.edema * edema + contrast.rim * rim + core * necrotic;
  }
  return signal;
}
