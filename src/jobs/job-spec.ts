/**
 * A job as plain data: which workflow, model, trainer, data and filters, on which sites. It survives `structuredClone`
 * and a YAML round trip, and holds no code.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ConfigError } from '../errors';
import { canonicalJson } from '../util/canonical-json';
import { type Json, json } from '../util/json';
import { dataSpec } from './data-spec';
import { environmentText } from './environment-text';
import { filterPlacement } from './filter-spec';
import { checkJob } from './job-checks';
import { explain } from './job-problems';
import { jobModel } from './model-spec';
import { ownSpec } from './own-part';
import { trainerSpec } from './trainer-spec';
import { workflowSpec } from './workflow-spec';

const count = z.int().positive();
const siteName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63');

const engineSpec = z
  .strictObject({
    provider: z
      .string()
      .regex(/^(cpu|webgpu|cuda(:\d+)?)$/, 'cpu, webgpu, cuda or cuda:<device>')
      .default('cpu'),
    sessionThreads: count
      .max(8)
      .optional()
      .describe('Threads of one session, 1 to 8; cores divided by slots when absent. The results do not depend on it.'),
  })
  .describe('Onnxruntime sessions: which execution provider, and how many threads one session uses.');

const resourcesSpec = z
  .strictObject({
    memoryMb: z
      .int()
      .nonnegative()
      .max(2 ** 30)
      .default(0)
      .describe('Memory that the job takes at a site, MB; 0 does not ask for any in particular.'),
    gpus: z.int().nonnegative().max(1024).default(0).describe('GPUs that the job takes at a site for itself.'),
  })
  .describe(
    'What the job takes at each of its sites besides one of its slots. A real server starts a job once there is room for it; the simulator does not ask.',
  );

const jobFields = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'letters, digits, dots, dashes and underscores')
    .describe('Name of the run and of its folder.'),
  seed: z
    .int()
    .nonnegative()
    .max(0xffffffff)
    .default(0)
    .describe('Everything random but privacy noise follows from this number.'),
  sites: z
    .array(siteName)
    .nonempty()
    .max(10_000)
    .describe('Names of the sites, in the order in which updates are added up.'),
  workflow: workflowSpec,
  model: jobModel.prefault({ kind: 'tensors', tensors: {} }),
  initialCheckpoint: environmentText(z.string().min(1))
    .optional()
    .describe(
      'File whose tensors the model starts from instead of drawn ones, .safetensors or .pt; by name, all of them.',
    ),
  trainer: trainerSpec,
  data: dataSpec.prefault({ kind: 'none' }),
  filters: z.array(filterPlacement).default([]),
  trackers: z
    .array(ownSpec('tracker'))
    .default([])
    .describe("Where the figures of the rounds go besides the files of the run: trackers of the user's own."),
  siteConfig: z
    .record(siteName, json)
    .default({})
    .describe('By site: plain data that reaches the trainer of that site and nobody else.'),
  modules: z
    .array(z.string().min(1))
    .default([])
    .describe("Files that define parts of the user's own. A relative path starts from the job's folder."),
  engine: engineSpec.prefault({}),
  resources: resourcesSpec.prefault({}),
});

// Also beside mistakes within the parts: one look at a file tells all that is wrong.
const always = { when: () => true };

export const jobSpec = jobFields.superRefine((job, context) => checkJob(job, context), always);

/** The schema of a job as one site gets it: with that site's own `siteConfig`, and no other's. */
export function jobSpecAt(site: string): typeof jobSpec {
  return jobFields.superRefine((job, context) => checkJob(job, context, site), always);
}

/** A checked job, all defaults filled in. */
export type JobSpec = z.infer<typeof jobSpec>;
/** A job as a recipe or a YAML file states it, defaults left out. */
export type JobInput = z.input<typeof jobSpec>;
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

/** The configuration of a site; null when the job gives none. */
export function siteConfigOf({ siteConfig }: Pick<JobSpec, 'siteConfig'>, site: string): Json {
  return Object.hasOwn(siteConfig, site) ? siteConfig[site]! : null;
}

/** SHA-256 of the job in canonical form: equal for jobs that mean the same, whatever the order of their keys. */
export function jobHash(job: JobSpec): string {
  return createHash('sha256').update(canonicalJson(job)).digest('hex');
}
