/**
 * What a site takes part in, as its own people write it in `policy.yaml`. A job cannot weaken it: the site asks its policy before
 * it loads anything of a job, and the policy's filters are the last that touch what leaves.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { z } from 'zod';
import { createFilter } from '../../filters/registry';
import { builtInData } from '../../jobs/data-spec';
import { allowMetricsOptionsSchema, filterSpec, payloadKinds } from '../../jobs/filter-spec';
import { loadModules } from '../../jobs/load-modules';
import { looseModel, modelSpec } from '../../jobs/model-spec';
import { parseYaml, type ReadYamlOptions } from '../../jobs/read-yaml';
import { kindsOf } from '../../jobs/schema-at';
import { builtInTrainer } from '../../jobs/trainer-spec';
import { builtInWorkflow } from '../../jobs/workflow-spec';
import { maxJobBytes } from '../../jobs/yaml-guard';
import { readBounded } from '../../util/read-bounded';
import { namePattern, nameRule } from '../provision/certificate';

/** The built-in kinds: what a site takes part in when its policy does not say. */
export const builtInKinds = {
  workflows: kindsOf(builtInWorkflow),
  trainers: kindsOf(builtInTrainer),
  models: [...kindsOf(modelSpec), ...kindsOf(looseModel)],
  data: kindsOf(builtInData),
} as const;
export type KindRule = keyof typeof builtInKinds;

function kinds(rule: KindRule) {
  const kind = z
    .string()
    .refine((text) => (builtInKinds[rule] as readonly string[]).includes(text) || isOwnKind(text), {
      error: `one of ${builtInKinds[rule].join(', ')}, or a kind of a job's own, <who>/<name>`,
    });
  return z
    .array(kind)
    .optional()
    .describe('Kinds that this site takes part with. The built-in ones, and those of approved code, when absent.');
}

function isOwnKind(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/.test(text);
}

const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex, as `consilium policy approve` prints it');

const approvedCode = z
  .strictObject({
    files: z
      .array(sha256)
      .default([])
      .describe('SHA-256 of files that may run here. Every file that comes with a job needs its own.'),
    commands: z
      .array(z.array(z.string().min(1)).nonempty())
      .default([])
      .describe('Whole command lines of programs of this machine that a job may start, word by word.'),
  })
  .describe('Approved code: files by their hash, programs of this machine by their whole command line.');

const code = z
  .union([z.enum(['none', 'any']), approvedCode])
  .default('none')
  .describe(
    "Code that comes with a job: none, approved files only, or any. 'any' lets whoever may submit a job run programs here.",
  );

const submitters = z
  .strictObject({
    names: z.array(z.string().regex(namePattern, nameRule)).optional().describe('Anybody when absent.'),
    orgs: z.array(z.string().min(1).max(200)).optional().describe('Anybody when absent.'),
    roles: z
      .array(z.enum(['researcher', 'admin']))
      .optional()
      .describe('Both when absent.'),
  })
  .describe('Who may submit jobs to this site: all that is stated must hold.');

const siteFilter = z.strictObject({
  payloads: z
    .array(z.enum(payloadKinds))
    .nonempty()
    .optional()
    .describe('Payloads that pass the filter. All when absent; then one that the filter cannot handle does not leave.'),
  filter: filterSpec.describe(
    'As in a job. The budget of a filter is that of the site here: over all jobs, however often.',
  ),
});

const amount = z.number().positive().finite();
const limits = z
  .strictObject({
    rounds: z.int().positive().optional().describe('Most rounds of a job.'),
    modelMb: amount.optional().describe('Largest model, MB.'),
    memoryMb: amount.optional().describe('Most memory that a training step may need by its estimate, MB.'),
    syntheticMb: amount.default(4096).describe('Largest synthetic data set that a job may have written here, MB.'),
  })
  .describe('How large a job may be.');

export const policySpec = z.strictObject({
  version: z.literal(1).default(1).describe('Version of this format.'),
  workflows: kinds('workflows'),
  trainers: kinds('trainers'),
  models: kinds('models'),
  data: kinds('data'),
  submitters: submitters.prefault({}),
  code,
  modules: z
    .array(z.string().min(1))
    .default([])
    .describe("Files of this site's own that define filters; a relative path starts from the policy's folder."),
  filters: z
    .array(siteFilter)
    .default([])
    .describe('Filters on everything that leaves this site, after those of a job, in this order.'),
  payloads: z
    .array(z.enum(payloadKinds))
    .nonempty()
    .optional()
    .describe('Kinds of payload that may leave. All when absent.'),
  metrics: allowMetricsOptionsSchema.shape.metrics
    .optional()
    .describe('Metrics that may leave; * stands for any characters. All when absent, none when empty.'),
  limits: limits.prefault({}),
});
export type Policy = z.output<typeof policySpec>;
export type SiteFilter = Policy['filters'][number];

/** A policy as it was read. */
export interface ReadPolicy {
  readonly policy: Policy;
  /** What the paths of its modules start from. */
  readonly folder: string;
  /** Of the file's bytes: which policy it was. */
  readonly sha256: string;
}

/** Reads a policy and makes its filters once. @throws ConfigError that lists every mistake with line and column. */
export async function readPolicy(file: string): Promise<ReadPolicy> {
  return parsePolicy(await readBounded(file, maxJobBytes, 'policy'), file);
}

/** @param file its path: how messages call it, and where its modules are. */
export function parsePolicy(bytes: Uint8Array, file: string): ReadPolicy {
  const folder = dirname(file);
  const options: ReadYamlOptions = {
    source: file,
    what: 'policy',
    hint: 'Correct the places named above; docs/reference/site.md lists all rules, and `consilium policy check` checks a policy.',
  };
  const { modules } = parseYaml(bytes, namedModules, options);
  loadModules(modules, folder); // This site's own code. Its filters have schemas that are known only then.
  const policy = parseYaml(bytes, policySpec, options);
  for (const { filter } of policy.filters) createFilter(filter);
  return { policy, folder, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const namedModules = z.looseObject({ modules: policySpec.shape.modules.catch([]) });
