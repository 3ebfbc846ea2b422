import { MODALITIES } from '../imaging/brats/modalities';
import type { JobSpec } from '../jobs/job-spec';
import type { OptimiserKind } from '../jobs/optimiser-spec';
import { workflowTraits } from '../jobs/workflow-spec';
import { sizeOf } from '../tensor/tensor';
import {
  bratsDice,
  type CaseImages,
  type ReportData,
  type ReportMetric,
  translationSsim,
} from '../tracking/report/report-data';
import { crossSiteMatrix } from '../workflows/cross-site-matrix';
import type { Checkpoint } from './checkpoint';
import { isSynthetic } from './job-data';
import type { CasePicture } from './slot/case-pictures';
import type { SlicePicture } from './slot/slice-pictures';
import type { Picture } from './slot/slot-messages';
import { versions } from './versions';

export interface RunReportOptions {
  readonly job: JobSpec;
  readonly outcome: ReportData['outcome'];
  /** Why the run ended early. */
  readonly error?: string;
  readonly last: Checkpoint;
  readonly pictures: readonly Picture[];
  readonly finalModelSha256?: string;
  readonly started: Date;
  readonly seconds: number;
}

const optimiserNames: { readonly [K in OptimiserKind]: string } = {
  adam: 'Adam',
  adamw: 'AdamW',
  sgd: 'SGD',
  rmsprop: 'RMSprop',
};

/** The report of a finished run. */
export function runReport(options: RunReportOptions): ReportData {
  const { job, outcome, error, last, pictures, finalModelSha256, started, seconds } = options;
  const crossSite = crossSiteMatrix(last.history.last?.results);
  return {
    job: job.name,
    description: describeJob(job),
    outcome,
    ...(error !== undefined && { error }),
    entries: last.history.lines(),
    plannedRounds: workflowTraits(job.workflow).rounds,
    sites: job.sites,
    metric: metricOf(job),
    syntheticData: isSynthetic(job),
    seed: job.seed,
    startedAt: started,
    seconds,
    versions: versions(),
    ...(finalModelSha256 !== undefined && { modelSha256: finalModelSha256 }),
    parameters: [...last.model.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    ...(crossSite && { crossSite }),
    cases: pictures.flatMap((one) => (one.kind === 'volume' ? [caseImages(one)] : [])),
    slices: pictures.filter((one): one is SlicePicture => one.kind === 'slice'),
  };
}

function describeJob({ sites, model, trainer }: JobSpec): string {
  if (trainer.kind === 'statistics') return `Statistics of ${sites.length} sites`;
  if (trainer.kind === 'translation') {
    const { epochs, batchSize, learningRate, optimiser } = trainer;
    const training = `${optimiserNames[optimiser.kind]} at ${learningRate}, batches of ${batchSize}, ${epochs} epochs a round`;
    return `${model.kind} on ${sites.length} sites, ${training}`;
  }
  if (trainer.kind !== 'segmentation') return `${model.kind} on ${sites.length} sites, trainer '${trainer.kind}'`;
  const optimiser = `${optimiserNames[trainer.optimiser.kind]} at ${trainer.learningRate}, ${trainer.epochs} epochs a round`;
  const network = model.kind === 'segresnet' ? 'SegResNet' : model.kind;
  return `${network} on ${sites.length} sites, crops of ${trainer.roi.join('×')}, ${optimiser}`;
}

function metricOf({ workflow }: JobSpec): ReportMetric {
  const { keyMetric } = workflowTraits(workflow);
  const known = [bratsDice, translationSsim].find(({ key }) => key === keyMetric);
  return known ?? { key: keyMetric, name: keyMetric, parts: [] };
}

function caseImages({ name, shape, image, truth, prediction, dice }: CasePicture): CaseImages {
  const voxels = sizeOf(shape);
  const [tc, wt, et] = dice.map((value) => (Number.isNaN(value) ? null : value));
  return {
    name,
    shape,
    truth,
    prediction,
    modalities: MODALITIES.map((modality, i) => ({
      name: modality,
      data: image.subarray(i * voxels, (i + 1) * voxels),
    })),
    scores: { WT: wt ?? null, TC: tc ?? null, ET: et ?? null },
  };
}
