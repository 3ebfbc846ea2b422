import { join } from 'node:path';
import { isNetwork, type JobModelSpec } from '../jobs/model-spec';
import { exportInferenceOnnx } from '../nn/export-onnx';
import { createModel } from '../nn/model';
import { withAliases } from '../nn/model-state';
import { saveModelFile } from '../tensor/model-file';
import type { NamedTensors } from '../tensor/tensor';
import { writeFileAtomic } from '../util/atomic-file';

export interface ModelFiles {
  readonly safetensors: string;
  readonly pt: string;
  /** Absent when no network stands behind the tensors. */
  readonly onnx?: string;
}

/**
 * Writes a model as `<name>.safetensors`, `<name>.pt` (a torch file `{"model": state_dict}`) and `<name>.onnx` (inference,
 * any batch and volume size that the network allows).
 */
export async function writeModelFiles(
  folder: string,
  name: string,
  spec: JobModelSpec,
  parameters: NamedTensors,
): Promise<ModelFiles> {
  const path = (suffix: string) => join(folder, `${name}.${suffix}`);
  const files = { safetensors: path('safetensors'), pt: path('pt') };
  const model = isNetwork(spec) ? createModel(spec) : undefined;
  const state = model ? withAliases(model, parameters) : parameters;
  await saveModelFile(files.safetensors, state);
  await saveModelFile(files.pt, state);
  if (!model) return files;
  await writeFileAtomic(path('onnx'), await exportInferenceOnnx(model, parameters));
  return { ...files, onnx: path('onnx') };
}
