/**
 * One synthetic patient in several contrasts of the same anatomy.
 *
 * @module
 */
import type { MersenneTwister } from '../../../util/mersenne-twister';
import { stream } from '../../../util/streams';
import type { Contrast } from '../../slices/layout';
import { type Size3, voxelsOf } from '../../volume';
import { type Anatomy, drawAnatomy } from '../anatomy';
import { smear } from '../smear';
import { roughNormal, smoothField } from '../smooth-field';
import { drawTumour, type Grade, type Tumour } from '../tumour';
import { type Sequence, signalOf } from './signal';
import type { PhantomSite } from './sites';
import { type Tissue, type TissueName, tissueNames, tissues } from './tissues';

export interface DrawnPatient {
  /** C order of the size: whole numbers of at least 1 in the brain, exactly 0 outside. */
  readonly images: ReadonlyMap<Contrast, Uint16Array>;
  /** 1 where the tumour with its edema is; absent for a healthy subject. */
  readonly mask: Uint8Array | undefined;
}

interface Subject {
  readonly anatomy: Anatomy;
  readonly tumour: Tumour | undefined;
  readonly grade: Grade | undefined;
  readonly tissues: Readonly<Record<TissueName, Tissue>>;
  /** Of about unit deviation: what the tissue itself varies by, the same in all contrasts. */
  readonly texture: Float32Array;
}

/** Deviation of a subject's relaxation times and proton densities from the table's, as a share of them. */
const SUBJECT_SPREAD = 0.02;
/** Deviation of the brightness within a tissue. */
const TEXTURE = 0.04;

/** Draws a patient at a site. Equal options give equal voxels. @param patient place in the site's list, from 0. */
export function drawPatient(
  site: PhantomSite,
  { size, patient, seed }: { readonly size: Size3; readonly patient: number; readonly seed: number },
): DrawnPatient {
  const grade = site.grades[patient % Math.max(1, site.grades.length)];
  const anatomy = drawAnatomy(stream(seed, 'anatomy'), size);
  const tumour = grade && drawTumour(stream(seed, 'tumour'), anatomy, { grade, enhancing: grade === 'HGG' });
  const texture = smoothField(stream(seed, 'texture'), size, Math.max(2.2, Math.min(size[0], size[1]) / 30));
  const subject = { anatomy, tumour, grade, tissues: ownTissues(stream(seed, 'tissues'), site), texture };
  const taken = Object.entries(site.sequences) as [Contrast, Sequence][];
  const images = taken.map(([contrast, sequence]): [Contrast, Uint16Array] => [
    contrast,
    acquire(stream(seed, 'acquisition', contrast), subject, { site, sequence }),
  ]);
  return { images: new Map(images), mask: tumour?.labels.map((label) => (label === 0 ? 0 : 1)) };
}

/** The tissues of one subject: no two are quite the same. */
function ownTissues(random: MersenneTwister, { field }: PhantomSite): Readonly<Record<TissueName, Tissue>> {
  const vary = (value: number): number => value * (1 + SUBJECT_SPREAD * roughNormal(random));
  const own = tissueNames.map((name) => {
    const { t1, t2, protonDensity } = tissues[field][name];
    return [name, { t1: vary(t1), t2: vary(t2), protonDensity: vary(protonDensity) }];
  });
  return Object.fromEntries(own);
}

function acquire(
  random: MersenneTwister,
  { anatomy, texture, ...subject }: Subject,
  { site, sequence }: { readonly site: PhantomSite; readonly sequence: Sequence },
): Uint16Array {
  const { size, mask } = anatomy;
  const signals = signalsOf(subject.tissues, sequence);
  const image = blend(anatomy, subject, signals);
  for (const step of [size[1] * size[2], size[2]]) smear(image, mask, step, site.blur);
  const bias = smoothField(random, size, Math.max(...size) / 2);
  const noise = site.noise * Math.max(signals.fluid, signals.grey, signals.white);
  const stored = new Uint16Array(voxelsOf(size));
  for (let i = 0; i < stored.length; i++) {
    if (mask[i] === 0) continue;
    const brightness = Math.max(1 + site.bias * bias[i]!, 0.5) * (1 + TEXTURE * texture[i]!);
    // The magnitude of a complex signal, with noise in both channels: Rice's distribution.
    const real = image[i]! * brightness + noise * roughNormal(random);
    const imaginary = noise * roughNormal(random);
    const value = Math.sqrt(real * real + imaginary * imaginary);
    stored[i] = Math.min(Math.max(Math.round(site.gain * value), 1), 65535);
  }
  return stored;
}

function signalsOf(
  own: Readonly<Record<TissueName, Tissue>>,
  sequence: Sequence,
): Readonly<Record<TissueName, number>> {
  return Object.fromEntries(tissueNames.map((name) => [name, signalOf(own[name], sequence)])) as Record<
    TissueName,
    number
  >;
}

/** Each voxel's signal is that of its tissues, by their shares of it. */
function blend(
  { mask, fluid, grey }: Anatomy,
  { tumour, grade }: Pick<Subject, 'tumour' | 'grade'>,
  signal: Readonly<Record<TissueName, number>>,
): Float32Array {
  const core = grade === 'HGG' ? signal.necrosis : signal.tumour;
  const image = new Float32Array(mask.length);
  for (let i = 0; i < image.length; i++) {
    if (mask[i] === 0) continue;
    const white = 1 - fluid[i]! - grey[i]!;
    const healthy = signal.fluid * fluid[i]! + signal.grey * grey[i]! + signal.white * white;
    if (!tumour) {
      image[i] = healthy;
      continue;
    }
    const [inEdema, inRim, inCore] = [tumour.edema[i]!, tumour.rim[i]!, tumour.core[i]!];
    const ill = signal.edema * inEdema + signal.tumour * inRim + core * inCore;
    image[i] = healthy * (1 - inEdema - inRim - inCore) + ill;
  }
  return image;
}
