/**
 * A job as plain data: which workflow, model, trainer, data and filters, on which sites. It survives `structuredClone`
 * and a YAML round trip, and holds no code.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '../errors';
import { environmentText } from './environment-text';
import { filterPlacement } from './filter-spec';
import { explain } from './job-problems';
import { modelSpec } from './model-spec';
import { spatialDimsOf, spatialDivisor } from './models/spatial-divisor';

const count = z.int().positive();
const size3 = z.tuple([count, count, count]);
const siteName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63');

/** Dice-loss segmentation training with Adam, batch 1, and sliding-window validation. */
const segmentationTrainerSpec = z.strictObject({
  kind: z.literal('segmentation'),
  /** Epochs over a site's training list in one round. */
  epochs: count.default(1),
  learningRate: z.number().positive().finite().default(1e-4),
  /** L2 penalty inside Adam (coupled). */
  weightDecay: z.number().nonnegative().finite().default(1e-5),
  /** FedProx μ: adds (μ/2)·‖w − w_received‖² to the loss. 0 turns it off. */
  proximalMu: z.number().nonnegative().finite().default(0),
  /** Size of a training crop in voxels; multiples of 8. */
  roi: size3,
  /** Size of a sliding window at validation in voxels; multiples of 8. */
  inferRoi: size3,
  /** Whether a site answers with the difference to the received weights, or with its weights. */
  transfer: z.enum(['weight-diff', 'weights']).default('weight-diff'),
});

/** BraTS18-like cases on disk: NIfTI files and Decathlon data lists named `<site>.json`. */
const brats18DataSpec = z.strictObject({
  kind: z.literal('brats18'),
  /** Folder that the paths of the data lists start from. */
  baseDir: environmentText(z.string().min(1)),
  /** Folder of the data lists. */
  datalistDir: environmentText(z.string().min(1)),
  /** The one site trains on `site-All.json`: the centralised baseline. */
  centralized: z.boolean().default(false),
  /** Share of the training and validation cases that a site keeps in memory after the deterministic transforms, [0, 1]. */
  cacheRate: z.number().min(0).max(1).default(0),
});

/** A seeded synthetic data set in the same layout, written into the workspace before the run. */
const brats18PhantomSpec = z.strictObject({
  kind: z.literal('brats18-phantom'),
  /** Sites that get a data list of their own; `site-All.json` has the cases of all of them. */
  sites: count.default(4),
  casesPerSite: count.default(6),
  validationCases: count.default(4),
  shape: size3.default([64, 64, 48]),
  seed: z.int().nonnegative().default(0),
  centralized: z.boolean().default(false),
  cacheRate: z.number().min(0).max(1).default(1),
});

/** Federated averaging (McMahan et al. 2017). */
const fedAvgSpec = z.strictObject({
  kind: z.literal('fed-avg'),
  rounds: count,
  /** A round with fewer updates than this fails. */
  minSites: count,
  /** Metric that chooses the best global model; larger is better. */
  keyMetric: z.string().min(1).default('val_dice'),
  /** A round that takes longer closes with the updates it has, seconds. */
  roundDeadlineSeconds: z
    .number()
    .positive()
    .default(7 * 24 * 3600),
});

/** Onnxruntime sessions: which execution provider, and how many threads one session uses. */
const engineSpec = z.strictObject({
  provider: z
    .string()
    .regex(/^(cpu|webgpu|cuda(:\d+)?)$/, 'cpu, webgpu, cuda or cuda:<device>')
    .default('cpu'),
  /** Threads of one session, 1 to 8; cores divided by slots when absent. The results do not depend on it. */
  sessionThreads: count.max(8).optional(),
});

export const jobSpec = z
  .strictObject({
    version: z.literal(1),
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dots, dashes and underscores'),
    /** Everything random but privacy noise follows from this number. */
    seed: z.int().nonnegative().max(0xffffffff).default(0),
    sites: z.array(siteName).nonempty().max(10_000),
    workflow: z.discriminatedUnion('kind', [fedAvgSpec]),
    model: modelSpec,
    trainer: z.discriminatedUnion('kind', [segmentationTrainerSpec]),
    data: z.discriminatedUnion('kind', [brats18DataSpec, brats18PhantomSpec]),
    filters: z.array(filterPlacement).default([]),
    engine: engineSpec.prefault({}),
  })
  .superRefine((job, context) => {
    const seen = new Set(job.sites);
    if (seen.size !== job.sites.length) {
      context.addIssue({ code: 'custom', path: ['sites'], message: 'two sites have the same name' });
    }
    checkSizes(job, context);
    if (job.workflow.minSites > job.sites.length) {
      context.addIssue({
        code: 'custom',
        path: ['workflow', 'minSites'],
        message: `${job.workflow.minSites} sites are required, but the job has only ${job.sites.length}`,
      });
    }
  });

/** The network halves a volume at each level, so every size it sees has to be a multiple of some number. */
function checkSizes(job: Pick<JobSpec, 'model' | 'trainer'>, context: z.RefinementCtx): void {
  if (spatialDimsOf(job.model) !== 3) {
    const message = `the data are volumes, but '${job.model.kind}' with these options takes 2-D images`;
    context.addIssue({ code: 'custom', path: ['model'], message });
    return;
  }
  const divisor = spatialDivisor(job.model);
  for (const [name, flag] of [
    ['roi', '--roi_size'],
    ['inferRoi', '--infer_roi_size'],
  ] as const) {
    const size = job.trainer[name];
    if (size.every((n) => n % divisor === 0)) continue;
    const nearest = size.map((n) => Math.max(divisor, Math.round(n / divisor) * divisor));
    const message = `${flag} is ${size.join(' ')}, but every size has to be a multiple of ${divisor} for this network; ${nearest.join(' ')}, for example`;
    context.addIssue({ code: 'custom', path: ['trainer', name], message });
  }
}

/** A checked job, all defaults filled in. */
export type JobSpec = z.infer<typeof jobSpec>;
/** A job as a recipe or a YAML file states it, defaults left out. */
export type JobInput = z.input<typeof jobSpec>;
export type TrainerSpec = JobSpec['trainer'];
export type DataSpec = JobSpec['data'];
export type WorkflowSpec = JobSpec['workflow'];
export type EngineSpec = JobSpec['engine'];

/** Checks a job and fills in the defaults. @throws ConfigError naming each wrong field, what came and what is allowed. */
export function parseJob(input: unknown, source = 'the job'): JobSpec {
  const result = jobSpec.safeParse(input);
  if (result.success) return result.data;
  const problems = explain(jobSpec, input).map(
    ({ path, message }) => `  ${path.join('.') || '(top level)'}: ${message}`,
  );
  throw new ConfigError(`${source} is not valid:\n${problems.join('\n')}`, {
    hint: 'Correct the fields named above; docs/reference/job.md lists them all.',
  });
}

/** SHA-256 of the job in canonical form: equal for jobs that mean the same, whatever the order of their keys. */
export function jobHash(job: JobSpec): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(job)))
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortKeys(inner)]));
}
