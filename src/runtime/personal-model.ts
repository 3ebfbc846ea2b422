import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isNetwork, type JobModelSpec } from '../jobs/model-spec';
import { createModel } from '../nn/model';
import { withAliases } from '../nn/model-state';
import { loadModelFile, saveModelFile } from '../tensor/model-file';
import type { NamedTensors } from '../tensor/tensor';

/** Name of the file that a site's own model has in the site's folder. */
export const personalModelFile = 'personal_model.safetensors';

/** Writes a site's own model as a whole, for use and evaluation at the site. Durable when it resolves. @throws WorkspaceError */
export async function writePersonalModel(folder: string, spec: JobModelSpec, model: NamedTensors): Promise<void> {
  const state = isNetwork(spec) ? withAliases(createModel(spec), model) : model;
  await saveModelFile(join(folder, personalModelFile), state);
}

/**
 * The site's own model, with the tensors of `like` in their order; `undefined` where the site keeps none.
 *
 * @throws DataError for a damaged file.
 */
export async function readPersonalModel(folder: string, like: NamedTensors): Promise<NamedTensors | undefined> {
  const file = join(folder, personalModelFile);
  if (!existsSync(file)) return undefined;
  const { tensors } = await loadModelFile(file);
  return new Map([...like].map(([name, shared]) => [name, tensors.get(name) ?? shared]));
}
