/**
 * What MR sees of a tissue.
 *
 * Healthy tissue at 1.5 T: the simulated brain database (Kwan, Evans, Pike: MRI simulation-based evaluation of image-processing and
 * classification methods, IEEE Trans. Med. Imaging 1999). At 3 T: Wansapura et al., NMR relaxation times in the human brain at
 * 3.0 tesla, J. Magn. Reson. Imaging 1999. Edema, tumour and necrosis are round numbers in the order that is reported for gliomas:
 * longer T1 and T2 than white matter, shorter than fluid.
 *
 * @module
 */

export interface Tissue {
  /** Longitudinal relaxation, ms. */
  readonly t1: number;
  /** Transverse relaxation, ms. */
  readonly t2: number;
  /** Density of protons, that of fluid is 1. */
  readonly protonDensity: number;
}

export const tissueNames = ['fluid', 'grey', 'white', 'edema', 'tumour', 'necrosis'] as const;
export type TissueName = (typeof tissueNames)[number];

/** Strength of the main field, tesla. */
export type FieldStrength = 1.5 | 3;

export const tissues: Readonly<Record<FieldStrength, Readonly<Record<TissueName, Tissue>>>> = {
  1.5: {
    fluid: { t1: 2569, t2: 329, protonDensity: 1 },
    grey: { t1: 833, t2: 83, protonDensity: 0.86 },
    white: { t1: 500, t2: 70, protonDensity: 0.77 },
    edema: { t1: 1000, t2: 125, protonDensity: 0.86 },
    tumour: { t1: 1150, t2: 140, protonDensity: 0.88 },
    necrosis: { t1: 1900, t2: 240, protonDensity: 0.95 },
  },
  3: {
    fluid: { t1: 4000, t2: 500, protonDensity: 1 },
    grey: { t1: 1331, t2: 110, protonDensity: 0.86 },
    white: { t1: 832, t2: 80, protonDensity: 0.77 },
    edema: { t1: 1400, t2: 140, protonDensity: 0.86 },
    tumour: { t1: 1600, t2: 155, protonDensity: 0.88 },
    necrosis: { t1: 2600, t2: 300, protonDensity: 0.95 },
  },
};
