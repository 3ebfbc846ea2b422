/**
 * Scores a saved model on the cases of a data list, as the original's test script does, and writes its masks as NIfTI.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError } from '../errors';
import { type CaseScore, scoreCases } from '../executors/evaluation';
import { REGIONS, regionsToLabels } from '../imaging/brats/labels';
import { restoreGrid } from '../imaging/brats/restore-grid';
import { loadValidationCase } from '../imaging/brats/validation';
import { caseName, type DatalistItem, type DatalistKey, loadDatalist } from '../imaging/datalist';
import { writeNifti } from '../imaging/nifti/write-nifti';
import { checkJobFile } from '../jobs/job-file';
import { isNetwork } from '../jobs/model-spec';
import { summarizeDice } from '../nn/metrics/dice';
import { createModel } from '../nn/model';
import { requireState } from '../nn/model-state';
import { openPredictor } from '../nn/predictor';
import { loadModelFile } from '../tensor/model-file';
import { areMultiples, perAxisText } from '../util/per-axis';
import { defaultSessionThreads } from './slot/slots';

export interface EvaluateOptions {
  readonly modelFile: string;
  readonly baseDir: string;
  readonly datalist: string;
  readonly list: DatalistKey;
  /** Window of the prediction. @default that of the run that the model lies in, else the original's 240 × 240 × 160 */
  readonly inferRoi?: readonly [number, number, number] | undefined;
  readonly provider: string;
  /** Folder of the masks. @default `predictions` beside the model */
  readonly masks?: string;
  /** @default the number of cores, at most 8 */
  readonly threads?: number;
  readonly onCase: (name: string, done: number, total: number) => void;
  /** What is odd about the files of a case but did not stop it. */
  readonly onWarnings: (warnings: readonly string[]) => void;
}

export interface EvaluationResult {
  readonly model: string;
  readonly cases: number;
  /** Window of the prediction. */
  readonly inferRoi: readonly [number, number, number];
  /** Mean over all (case, region) pairs with a non-empty truth. */
  readonly overall: { readonly dice: number | null; readonly count: number };
  readonly regions: readonly { readonly name: string; readonly dice: number | null; readonly count: number }[];
  readonly perCase: readonly { readonly name: string; readonly dice: readonly (number | null)[] }[];
  readonly masks: string;
  /** Why the numbers flatter the model, when they do. */
  readonly warning?: string;
}

/** @throws DataError for files that cannot be read or do not fit the network. */
export async function evaluateModel(options: EvaluateOptions): Promise<EvaluationResult> {
  const { modelFile, baseDir, datalist, list, provider, threads = defaultSessionThreads(1) } = options;
  const run = await runOf(modelFile);
  const inferRoi = options.inferRoi ?? run?.inferRoi ?? published;
  const model = createModel(run?.model ?? { kind: 'segresnet' });
  if (!areMultiples(inferRoi, model.spatialDivisor)) {
    throw new ConfigError(
      `--infer_roi_size is ${inferRoi.join(' ')}, but every size has to be a multiple of ${perAxisText(model.spatialDivisor)} for this network.`,
    );
  }
  const file = await loadModelFile(modelFile);
  const { tensors: parameters, notes } = requireState(model, file.tensors, modelFile);
  options.onWarnings([...file.notes, ...notes]);
  const items = await loadDatalist(datalist, { list, baseDir });
  const predictor = await openPredictor({ model, inputShape: [1, model.inChannels, ...inferRoi], threads, provider });
  const masks = options.masks ?? join(dirname(modelFile), 'predictions');

  const scores: CaseScore[] = [];
  const predict = (window: Float32Array) => predictor.run(parameters, window);
  for (const item of items) {
    const one = await loadValidationCase(item);
    const name = caseName(item);
    const [score] = await all(
      scoreCases(only({ ...one, name }), { roi: inferRoi, predict, signal: new AbortController().signal }),
    );
    const mask = restoreGrid(regionsToLabels(score!.prediction), one);
    await writeNifti(join(masks, `${name}_pred.nii.gz`), mask, { dtype: 'uint8' });
    options.onWarnings(one.warnings);
    scores.push(score!);
    options.onCase(name, scores.length, items.length);
  }
  const warning = await selectionWarning(modelFile, items, list);
  return { model: modelFile, cases: items.length, inferRoi, masks, ...summary(scores), ...(warning && { warning }) };
}

/** The original's window. */
const published = [240, 240, 160] as const;

/** The network and the window of the run that a model lies in: `undefined` for a file of its own, and for other jobs. */
async function runOf(modelFile: string) {
  const folder = dirname(dirname(modelFile));
  // A global model lies in the server's folder of the job, a site's own in the site's.
  const files = [join(folder, 'job.yaml'), join(dirname(folder), 'server', 'simulate_job', 'job.yaml')];
  const file = files.find((one) => existsSync(one));
  if (file === undefined) return undefined;
  const check = await checkJobFile(file);
  if (!('job' in check)) return undefined; // A job with parts of its own, say, which are not loaded to score a model.
  const { model, trainer } = check.job;
  return trainer.kind === 'segmentation' && isNetwork(model) ? { model, inferRoi: trainer.inferRoi } : undefined;
}

function summary(scores: readonly CaseScore[]): Pick<EvaluationResult, 'overall' | 'regions' | 'perCase'> {
  const { mean, count, channels } = summarizeDice(scores.map(({ dice }) => dice));
  const defined = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    overall: { dice: defined(mean), count },
    regions: REGIONS.map((name, i) => ({ name, dice: defined(channels[i]!.mean), count: channels[i]!.count })),
    perCase: scores.map(({ name, dice }) => ({ name, dice: dice.map(defined) })),
  };
}

async function* only<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** The cases that chose the best model, or trained it, cannot test it. */
async function selectionWarning(
  modelFile: string,
  items: readonly DatalistItem[],
  list: DatalistKey,
): Promise<string | undefined> {
  if (list === 'training') return 'these are training cases: the scores say nothing about new patients';
  const used = await casesOfRun(modelFile);
  const again = items.filter((item) => used?.has(caseName(item)));
  if (used && again.length === 0) return undefined;
  if (!used && list === 'testing') return undefined;
  const count = used ? `${again.length} of ${items.length} cases` : 'the cases of a validation list';
  return `${count} were also used to choose ${basename(modelFile)} among the rounds, so the scores are too good; use cases it has never seen`;
}

/** Names of the validation cases of the run that the model lies in, or `undefined` when it lies in none. */
async function casesOfRun(modelFile: string): Promise<Set<string> | undefined> {
  const file = join(dirname(modelFile), 'selection_cases.json');
  if (!existsSync(file)) return undefined;
  return new Set(JSON.parse(await readFile(file, 'utf8')) as string[]);
}
