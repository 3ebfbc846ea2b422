/**
 * Scores a saved translation model on the slices of sites: the global model at each of them, or each site's own.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../errors';
import { sharedPredictor } from '../executors/shared-sessions';
import { type ScoreSummary, scoreSlices, summariseSlices } from '../executors/slice-evaluation';
import { encodeNpy } from '../imaging/npy/write-npy';
import { isSliceData } from '../jobs/data-spec';
import { checkJobFile } from '../jobs/job-file';
import type { JobSpec } from '../jobs/job-spec';
import { isNetwork, modelSpec, type NetworkSpec } from '../jobs/model-spec';
import { type ImageLossSpec, translationTrainerSpec } from '../jobs/translation-trainer-spec';
import { type SliceScoreName, type SliceScores, sliceScoreNames } from '../nn/metrics/slice-scores';
import { createModel } from '../nn/model';
import { requireState } from '../nn/model-state';
import { loadModelFile } from '../tensor/model-file';
import type { NamedTensors } from '../tensor/tensor';
import { writeFileAtomic } from '../util/atomic-file';
import { sliceFolder } from './job-data';
import type { SiteSlices } from './loader/loader-messages';
import { siteSliceSource } from './loader/site-slice-source';
import { personalModelFile } from './personal-model';
import { defaultSessionThreads } from './slot/slots';

export interface EvaluateTranslationOptions {
  readonly modelFile: string;
  /** Each site's own model in the place of the file's, which lies in the run that made them. */
  readonly personal: boolean;
  /** Folder of a site's slices, `{site}` standing for its name. @default that of the run that the model lies in */
  readonly dataDir?: string | undefined;
  /** @default the sites of the run; one called `all` where the folder is that of no site */
  readonly sites?: readonly string[] | undefined;
  /** What is translated, and how intensities are scaled. @default as in the run, else T1 to T2 and slice-max */
  readonly contrasts?: Pick<SiteSlices, 'source' | 'target'> | undefined;
  readonly normalisation?: SiteSlices['normalisation'] | undefined;
  readonly split: 'validation' | 'test';
  readonly provider: string;
  /** Folder of the predictions, `<site>/<slice>.npy`. @default they are not written */
  readonly predictions?: string | undefined;
  /** @default the number of cores, at most 8 */
  readonly threads?: number | undefined;
  readonly onSlice: (site: string, done: number, total: number) => void;
  readonly onWarnings: (warnings: readonly string[]) => void;
}

export type Scores = Readonly<
  Record<SliceScoreName, { readonly mean: number | null; readonly std: number | null; readonly count: number }>
>;

export interface TranslationEvaluation {
  readonly translation: string;
  readonly split: 'validation' | 'test';
  readonly sites: readonly {
    readonly site: string;
    /** File of the model that was scored there. */
    readonly model: string;
    readonly slices: number;
    readonly scores: Scores;
  }[];
  /** Over the sites' means, each site counting the same. */
  readonly overall: Readonly<Record<SliceScoreName, number | null>>;
  readonly predictions?: string;
  /** Why the numbers flatter the model, when they do. */
  readonly warning?: string;
}

/** Whether a model lies in a run of translation. */
export async function isTranslationRun(modelFile: string): Promise<boolean> {
  return (await translationRunOf(modelFile)) !== undefined;
}

/** @throws DataError for files that cannot be read or do not fit; ConfigError for what neither options nor run say. */
export async function evaluateTranslation(options: EvaluateTranslationOptions): Promise<TranslationEvaluation> {
  const { modelFile, split, personal, predictions } = options;
  const run = await translationRunOf(modelFile);
  const given = await loadModelFile(modelFile);
  const spec = run?.model ?? networkOf(given.tensors);
  const places = placesOf(options, run);
  const rows = [];
  for (const { site, ...slices } of places) {
    const model = personal ? personalModel(modelFile, site) : modelFile;
    const file = personal ? await loadModelFile(model) : given;
    const state = requireState(createModel(spec), file.tensors, model);
    options.onWarnings([...file.notes, ...state.notes]);
    const loss = run?.loss ?? translationTrainerSpec.parse({ kind: 'translation' }).loss;
    const scores = await scoresAt(options, { site, ...slices }, { spec, tensors: state.tensors, loss });
    rows.push({ site, model, slices: scores.length, scores: asJson(summariseSlices(scores)) });
  }
  const { source, target } = places[0]!;
  return {
    translation: `${source}:${target}`,
    split,
    sites: rows,
    overall: overallOf(rows),
    ...(predictions !== undefined && { predictions }),
    ...(split === 'validation' && { warning: selectionWarning }),
  };
}

const selectionWarning =
  'a run chooses its best model on the validation slices, so their scores may be too good; the test slices are for a test';

/** Network, loss, data and sites of the run that a model lies in; `undefined` for a file of its own, and for other jobs. */
async function translationRunOf(modelFile: string) {
  const job = dirname(dirname(resolve(modelFile)));
  const file = join(job, 'job.yaml');
  if (!existsSync(file)) return undefined;
  const check = await checkJobFile(file);
  if (!('job' in check)) return undefined; // A job with parts of its own, say, which are not loaded to score a model.
  const { model, trainer, data, sites } = check.job;
  if (trainer.kind !== 'translation' || !isNetwork(model)) return undefined;
  return { model, loss: trainer.loss, data, sites, folder: dirname(dirname(job)) };
}

type Run = NonNullable<Awaited<ReturnType<typeof translationRunOf>>>;

/** `<workspace>/<run>/<site>/simulate_job`, where the site keeps what is its own. */
function personalModel(modelFile: string, site: string): string {
  const run = dirname(dirname(dirname(dirname(resolve(modelFile)))));
  const file = join(run, site, 'simulate_job', personalModelFile);
  if (existsSync(file)) return file;
  throw new ConfigError(`There is no ${file}: the run has left no model of ${site}'s own.`, {
    hint: "Sites have models of their own after a run with personal tensors, of Ditto or of FedSelect. In a federation each lies at its site, in the job's folder: score it there, with --model and --data_dir.",
  });
}

/** The U-Net that a file's tensors are of, where no run says it. */
function networkOf(tensors: NamedTensors): NetworkSpec {
  const base = tensors.get('inc.conv1.weight')?.shape[0];
  const norm = tensors.has('inc.norm1.running_mean') ? 'batch' : tensors.has('inc.norm1.weight') ? 'group' : 'none';
  return modelSpec.parse({ kind: 'translation-unet', norm, ...(base !== undefined && { baseChannels: base }) });
}

/** The slices of each site. */
function placesOf(options: EvaluateTranslationOptions, run: Run | undefined): SiteSlices[] {
  const { dataDir, contrasts, normalisation } = options;
  const data = run && isSliceData(run.data) ? run.data : undefined;
  const pattern =
    dataDir === undefined ? data && sliceFolder(data, dirname(run!.folder), process.cwd()) : resolve(dataDir);
  if (pattern === undefined) {
    throw new ConfigError(`${options.modelFile} lies in no run that says where the slices are.`, {
      hint: 'Give --data_dir, the folder of the slices.',
    });
  }
  const sites = options.sites ?? (pattern.includes('{site}') ? sitesOf(run, data) : ['all']);
  return sites.map((site) => ({
    kind: 'slices',
    site,
    seed: 0,
    folder: pattern.replaceAll('{site}', site),
    centralized: false,
    source: contrasts?.source ?? data?.source ?? 't1',
    target: contrasts?.target ?? data?.target ?? 't2',
    normalisation: normalisation ?? data?.normalisation ?? 'slice-max',
    cacheRate: 0,
  }));
}

/** The centralised baseline is scored at the sites whose slices it has seen. */
function sitesOf(run: Run | undefined, data: JobSpec['data'] | undefined): readonly string[] {
  if (!run) {
    throw new ConfigError("The folder has '{site}' in it, but which sites there are is not said.", {
      hint: 'Give --sites.',
    });
  }
  if (data?.kind !== 'multi-contrast-phantom' || !data.centralized) return run.sites;
  return Array.from({ length: data.sites }, (_, i) => `site-${i + 1}`);
}

interface ScoredModel {
  readonly spec: NetworkSpec;
  readonly tensors: NamedTensors;
  readonly loss: ImageLossSpec;
}

async function scoresAt(
  { split, provider, predictions, threads = defaultSessionThreads(1), onSlice, onWarnings }: EvaluateTranslationOptions,
  slices: SiteSlices,
  { spec, tensors, loss }: ScoredModel,
): Promise<SliceScores[]> {
  const source = siteSliceSource(slices, (_, warning) => onWarnings([warning]));
  const { shape, [split]: names } = await source.lists();
  const [, height, width] = shape;
  const predictor = await sharedPredictor({ model: spec, engine: { threads, provider } }, [height, width]);
  const predict = (image: Float32Array) => predictor.run(tensors, image);
  const scores: SliceScores[] = [];
  const { signal } = new AbortController();
  for await (const scored of scoreSlices(source.cases(split), { predict, loss, signal })) {
    scores.push(scored.scores);
    if (predictions !== undefined) {
      const file = join(predictions, slices.site, `${scored.case.name}.npy`);
      await writeFileAtomic(file, encodeNpy(scored.prediction, [height, width]));
    }
    onSlice(slices.site, scores.length, names.length);
  }
  return scores;
}

const orNull = (value: number) => (Number.isFinite(value) ? value : null);

function asJson(summaries: Readonly<Record<SliceScoreName, ScoreSummary>>): Scores {
  const rows = Object.entries(summaries).map(([name, { mean, std, count }]) => {
    return [name, { mean: orNull(mean), std: orNull(std), count }];
  });
  return Object.fromEntries(rows);
}

function overallOf(rows: TranslationEvaluation['sites']): TranslationEvaluation['overall'] {
  const means = sliceScoreNames.map((name) => {
    const values = rows.flatMap(({ scores }) => scores[name].mean ?? []);
    return [name, orNull(values.reduce((sum, value) => sum + value, 0) / values.length)];
  });
  return Object.fromEntries(means);
}
