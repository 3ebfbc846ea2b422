/**
 * The parts a job can name: for every kind, how to make it. The tables are exhaustive by type, so a kind that the job
 * schema allows and nobody makes does not compile.
 *
 * @module
 */
import { join } from 'node:path';
import type { CaseSource } from '../executors/case-source';
import type { Executor } from '../executors/executor';
import type { ScoreCache } from '../executors/score-cache';
import { segmentationTrainer } from '../executors/segmentation-trainer';
import { REGIONS } from '../imaging/brats/labels';
import type { DataSpec, JobSpec, TrainerSpec, WorkflowSpec } from '../jobs/job-spec';
import type { FedAvgParts, FedAvgState, RoundReport } from '../workflows/fed-avg';
import { fedAvg } from '../workflows/fed-avg';
import type { SiteCases } from './loader/loader-messages';

type Kind<T extends { readonly kind: string }> = T['kind'];
type OfKind<T extends { readonly kind: string }, K extends Kind<T>> = Extract<T, { readonly kind: K }>;

export const workflows: {
  readonly [K in Kind<WorkflowSpec>]: (
    spec: OfKind<WorkflowSpec, K>,
    state: FedAvgState,
    parts: FedAvgParts,
  ) => AsyncGenerator<RoundReport>;
} = { 'fed-avg': fedAvg };

/** What a trainer is made from at a site. */
export interface TrainerParts {
  readonly job: JobSpec;
  readonly site: string;
  readonly cases: CaseSource;
  readonly sessionThreads: number;
  readonly scores: ScoreCache;
}

export const trainers: {
  readonly [K in Kind<TrainerSpec>]: (spec: OfKind<TrainerSpec, K>, parts: TrainerParts) => Executor;
} = {
  segmentation: (trainer, { job, site, cases, sessionThreads, scores }) =>
    segmentationTrainer({
      site,
      cases,
      scores,
      trainer,
      seed: job.seed,
      model: job.model,
      regions: REGIONS,
      engine: { threads: sessionThreads, provider: job.engine.provider },
    }),
};

/** The files behind a data spec. Synthetic data are kept in the workspace, one folder for each set of options. */
export function dataFolders(data: DataSpec, workspace: string): { baseDir: string; datalistDir: string } {
  if (data.kind === 'brats18') return { baseDir: data.baseDir, datalistDir: data.datalistDir };
  const name = [data.kind, data.sites, data.casesPerSite, data.validationCases, data.shape.join('x'), data.seed].join(
    '-',
  );
  const folder = join(workspace, 'data', name);
  return { baseDir: folder, datalistDir: join(folder, 'datalist') };
}

/** The cases of one site of a job. */
export function siteCases(job: JobSpec, site: string, folders: ReturnType<typeof dataFolders>): SiteCases {
  const list = job.data.centralized ? 'site-All.json' : `${site}.json`;
  return {
    site,
    seed: job.seed,
    datalist: join(folders.datalistDir, list),
    baseDir: folders.baseDir,
    roi: job.trainer.roi,
    cacheRate: job.data.cacheRate,
  };
}
