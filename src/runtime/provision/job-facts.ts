/**
 * What a job names, read as data: its parts by their kinds, its code by path. Nothing is loaded, so that a policy can decide
 * before anything of the job runs. Options are not checked here; `jobFromYaml` does that, once the job is allowed.
 *
 * @module
 */
import { z } from 'zod';
import { json } from '../../util/json';

const part = z.object({ kind: z.string() }).catchall(json);
const texts = z.array(z.string());

export const jobFacts = z.object({
  name: z.string(),
  sites: texts,
  workflow: z.object({ kind: z.string(), aggregator: part.optional() }).catchall(json),
  model: part.default({ kind: 'tensors' }),
  initialCheckpoint: z.string().optional(),
  trainer: z.object({ kind: z.string(), script: z.string().optional(), command: texts.optional() }).catchall(json),
  data: part.default({ kind: 'none' }),
  filters: z
    .array(z.object({ at: z.string(), tasks: texts.optional(), sites: texts.optional(), filter: part }))
    .default([]),
  trackers: z.array(part).default([]),
  modules: texts.default([]),
  /** Empty in a bundle: each site's configuration is a file of its own. */
  siteConfig: z.record(z.string(), json).optional(),
});
export type JobFacts = z.output<typeof jobFacts>;
