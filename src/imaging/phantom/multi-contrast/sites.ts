/**
 * The sites of the phantom: whom they scan and with what. They differ as the data sets of the published comparison do: two with one
 * grade of glioma each, one with both, and healthy subjects, of whom the last two sites have no FLAIR.
 *
 * @module
 */
import type { Contrast } from '../../slices/layout';
import type { Grade } from '../tumour';
import type { Sequence } from './signal';
import type { FieldStrength } from './tissues';

export interface PhantomSite {
  /** Of the gliomas, patient by patient, over and over; none for a site of healthy subjects. */
  readonly grades: readonly Grade[];
  readonly field: FieldStrength;
  /** The contrasts that the site takes. */
  readonly sequences: { readonly [K in Contrast]?: Sequence };
  /** Stored intensity of a signal of 1. */
  readonly gain: number;
  /** Deviation of the noise of each of the two receiver channels, as a share of the brightest tissue. */
  readonly noise: number;
  /** Deviation of the smooth change of brightness over the image. */
  readonly bias: number;
  /** Share of a pixel that leaks into its neighbours along each axis of a slice, in [0, 0.5). */
  readonly blur: number;
}

const spinEcho = (repetition: number, echo: number): Sequence => ({ kind: 'spin-echo', repetition, echo });
const inversion = (repetition: number, echo: number, time: number): Sequence => ({
  kind: 'inversion-recovery',
  repetition,
  echo,
  inversion: time,
});

const sites: readonly PhantomSite[] = [
  {
    grades: ['HGG'],
    field: 3,
    sequences: { t1: spinEcho(650, 10), t2: spinEcho(5000, 100), flair: inversion(9000, 120, 2350) },
    gain: 2400,
    noise: 0.01,
    bias: 0.04,
    blur: 0.08,
  },
  {
    grades: ['LGG'],
    field: 1.5,
    sequences: { t1: spinEcho(450, 14), t2: spinEcho(2800, 80), flair: inversion(8000, 140, 1750) },
    gain: 900,
    noise: 0.025,
    bias: 0.1,
    blur: 0.24,
  },
  {
    grades: ['HGG', 'LGG'],
    field: 3,
    sequences: { t1: inversion(2300, 5, 950), t2: spinEcho(6500, 130), flair: inversion(6000, 125, 2000) },
    gain: 5200,
    noise: 0.015,
    bias: 0.07,
    blur: 0.12,
  },
  {
    grades: [],
    field: 1.5,
    sequences: { t1: spinEcho(700, 22), t2: spinEcho(2200, 60), flair: inversion(7000, 95, 1600) },
    gain: 480,
    noise: 0.03,
    bias: 0.08,
    blur: 0.3,
  },
  {
    grades: [],
    field: 3,
    sequences: { t1: inversion(2000, 4, 1000), t2: spinEcho(3200, 90) },
    gain: 3300,
    noise: 0.01,
    bias: 0.12,
    blur: 0.04,
  },
  {
    grades: [],
    field: 1.5,
    sequences: { t1: spinEcho(550, 12), t2: spinEcho(4000, 110) },
    gain: 1300,
    noise: 0.02,
    bias: 0.05,
    blur: 0.16,
  },
];

/** The i-th site, from 0; the six of them come again and again. */
export function phantomSite(i: number): PhantomSite {
  return sites[i % sites.length]!;
}
