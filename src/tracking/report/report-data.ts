/**
 * What a report shows, as plain data.
 *
 * @module
 */
import type { Metrics } from '../../protocol/payload';
import type { CrossSiteMatrix } from '../../workflows/cross-site-matrix';
import type { RoundEntry } from '../round-metrics';

export interface ReportData {
  /** Name of the job. */
  readonly job: string;
  /** One line about what was trained on what. */
  readonly description?: string;
  readonly outcome: 'finished' | 'failed' | 'aborted';
  /** Why the run ended early. */
  readonly error?: string;
  /** The finished rounds in order; the last is the finished model's evaluation (`final`) when there was one. */
  readonly entries: readonly RoundEntry[];
  /** Rounds that the job asked for. */
  readonly plannedRounds: number;
  readonly sites: readonly string[];
  readonly metric: ReportMetric;
  /** Whether the data are synthetic: then the report says so at the top. */
  readonly syntheticData: boolean;
  readonly seed: number;
  readonly startedAt: Date;
  readonly seconds: number;
  /** Software by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of the finished model's safetensors file. */
  readonly modelSha256?: string;
  /** Numbers in the model. */
  readonly parameters?: number;
  /** Every model at every site, when the job was a cross-site evaluation. */
  readonly crossSite?: CrossSiteMatrix;
  /** A few validation cases, predicted by the best model. */
  readonly cases: readonly CaseImages[];
  /** A few slices of each site, translated by the finished model. */
  readonly slices?: readonly SliceImages[];
  /** Names and colours of the labels in the cases. Default: BraTS's 1, 2 and 4. */
  readonly labels?: readonly LabelStyle[];
}

/** The metric that chooses the best model; larger is better. */
export interface ReportMetric {
  /** Key in the metrics of an entry, `val_dice` say. */
  readonly key: string;
  /** What people call it: `Dice`. */
  readonly name: string;
  /** Its parts: keys in the metrics, with their names. */
  readonly parts: readonly { readonly key: string; readonly name: string; readonly title: string }[];
}

/** A volume with its truth and prediction, in RAS orientation, C order. */
export interface CaseImages {
  readonly name: string;
  /** [X, Y, Z]: X to the patient's right, Y to the front, Z to the head. */
  readonly shape: readonly [number, number, number];
  /** Voxels of exactly 0 are background. */
  readonly modalities: readonly { readonly name: string; readonly data: Float32Array }[];
  /** Label of every voxel. */
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
  /** The metric's parts for this case, by the name of the part; `null` where not defined. */
  readonly scores: Metrics;
}

/** A slice with its translation. */
export interface SliceImages {
  readonly name: string;
  readonly site: string;
  /** Which of the site's slices it is, by its score: `best`, `middle`, `worst`. */
  readonly rank: string;
  /** Pixels along the first and the second axis. */
  readonly shape: readonly [number, number];
  readonly source: Float32Array;
  readonly target: Float32Array;
  readonly prediction: Float32Array;
  /** By what people call them. */
  readonly scores: Metrics;
}

export interface LabelStyle {
  readonly value: number;
  readonly name: string;
  /** CSS colour, seen on grey images. */
  readonly color: string;
}

/** What the published BraTS job scores. */
export const bratsDice: ReportMetric = {
  key: 'val_dice',
  name: 'Dice',
  parts: [
    { key: 'val_dice_wt', name: 'WT', title: 'Whole tumour' },
    { key: 'val_dice_tc', name: 'TC', title: 'Tumour core' },
    { key: 'val_dice_et', name: 'ET', title: 'Enhancing tumour' },
  ],
};

/** What the MRI translation job scores. */
export const translationSsim: ReportMetric = { key: 'val_ssim', name: 'SSIM', parts: [] };

export const bratsLabels: readonly LabelStyle[] = [
  { value: 2, name: 'Oedema', color: '#3ddc97' },
  { value: 1, name: 'Necrotic and non-enhancing core', color: '#ff5d5d' },
  { value: 4, name: 'Enhancing tumour', color: '#ffd23f' },
];
