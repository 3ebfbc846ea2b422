/**
 * The model that a job starts from.
 *
 * @module
 */
import { resolve } from 'node:path';
import type { JobSpec } from '../jobs/job-spec';
import type { LooseModelSpec } from '../jobs/model-spec';
import { isNetwork } from '../jobs/model-spec';
import { createModel, initialise } from '../nn/model';
import { requireState } from '../nn/model-state';
import { NormalSource } from '../nn/normal-source';
import { loadModelFile } from '../tensor/model-file';
import { float32, type NamedTensors, sizeOf } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';

/**
 * Draws the model from the job's seed, or reads it from the job's checkpoint.
 *
 * @param folder what relative paths of the job start from.
 * @param warn told of what is odd about a checkpoint but does not stop it.
 * @throws DataError for a checkpoint that cannot be read or does not fit.
 */
export async function startingModel(
  { model: spec, initialCheckpoint, seed }: JobSpec,
  folder: string,
  warn: (message: string) => void,
): Promise<NamedTensors> {
  if (!isNetwork(spec)) return looseTensors(spec, seed, folder, warn);
  const model = createModel(spec);
  if (initialCheckpoint === undefined) return initialise(model, seed);
  const path = resolve(folder, initialCheckpoint);
  const file = await loadModelFile(path);
  const { tensors, notes } = requireState(model, file.tensors, path);
  for (const note of [...file.notes, ...notes]) warn(note);
  return tensors;
}

async function looseTensors(
  spec: LooseModelSpec,
  seed: number,
  folder: string,
  warn: (message: string) => void,
): Promise<NamedTensors> {
  if (spec.kind === 'checkpoint') {
    const { tensors, notes } = await loadModelFile(resolve(folder, spec.file));
    for (const note of notes) warn(note);
    return tensors;
  }
  const normal = new NormalSource(new MersenneTwister(seed));
  const numbers = (length: number) => (spec.start === 'zeros' ? new Float32Array(length) : normal.draw(length, 0, 1));
  return new Map(Object.entries(spec.tensors).map(([name, shape]) => [name, float32(shape, numbers(sizeOf(shape)))]));
}
