import { join } from 'node:path';
import type { ModelSpec } from '../jobs/model-spec';
import { exportInferenceOnnx } from '../nn/export-onnx';
import { createModel } from '../nn/model';
import { withAliases } from '../nn/model-state';
import { saveModelFile } from '../tensor/model-file';
import type { NamedTensors } from '../tensor/tensor';
import { writeFileAtomic } from '../util/atomic-file';

export interface ModelFiles {
  readonly safetensors: string;
  readonly pt: string;
  readonly onnx: string;
}

/**
 * Writes a model as `<name>.safetensors`, `<name>.pt` (a torch file `{"model": state_dict}`) and `<name>.onnx` (inference,
 * any batch and volume size that the network allows).
 */
export async function writeModelFiles(
  folder: string,
  name: string,
  spec: ModelSpec,
  parameters: NamedTensors,
): Promise<ModelFiles> {
  const files: ModelFiles = {
    safetensors: join(folder, `${name}.safetensors`),
    pt: join(folder, `${name}.pt`),
    onnx: join(folder, `${name}.onnx`),
  };
  const model = createModel(spec);
  const state = withAliases(model, parameters);
  await saveModelFile(files.safetensors, state);
  await saveModelFile(files.pt, state);
  await writeFileAtomic(files.onnx, exportInferenceOnnx(model, parameters));
  return files;
}
