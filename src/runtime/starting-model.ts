/**
 * The model that a job starts from.
 *
 * @module
 */
import { resolve } from 'node:path';
import { DataError } from '../errors';
import type { JobSpec } from '../jobs/job-spec';
import type { LooseModelSpec } from '../jobs/model-spec';
import { isNetwork } from '../jobs/model-spec';
import { createModel, initialise, type Model } from '../nn/model';
import { requireState } from '../nn/model-state';
import { NormalSource } from '../nn/normal-source';
import { loadModelFile } from '../tensor/model-file';
import { float32, type NamedTensors, sizeOf, type Tensor } from '../tensor/tensor';
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
  return networkTensors(model, resolve(folder, initialCheckpoint), warn);
}

/**
 * Another model of the job, from a file.
 *
 * @param like the tensors it has to have, when no network says so.
 * @throws DataError for a file that cannot be read or does not fit.
 */
export async function furtherModel(
  { model: spec }: JobSpec,
  path: string,
  like: NamedTensors,
  warn: (message: string) => void,
): Promise<NamedTensors> {
  if (isNetwork(spec)) return networkTensors(createModel(spec), path, warn);
  const { tensors, notes } = await loadModelFile(path);
  for (const note of notes) warn(note);
  for (const name of new Set([...like.keys(), ...tensors.keys()])) {
    const [expected, found] = [like.get(name), tensors.get(name)].map(formOf);
    if (expected === found) continue;
    throw new DataError(
      `'${path}' is no file of the job's model: '${name}' is ${found}, but ${expected} is expected.`,
      {
        file: path,
        hint: 'Use a file with the same tensors as the model that the job starts from.',
      },
    );
  }
  return new Map([...like.keys()].map((name) => [name, tensors.get(name)!]));
}

function formOf(tensor: Tensor | undefined): string {
  return tensor ? `${tensor.dtype} [${tensor.shape}]` : 'absent';
}

async function networkTensors(model: Model, path: string, warn: (message: string) => void): Promise<NamedTensors> {
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
