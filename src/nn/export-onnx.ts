/**
 * Trained models for other software.
 *
 * @module
 */
import { join } from 'node:path';
import { float32, type NamedTensors, sameShape } from '../tensor/tensor';
import { loadModule } from '../util/load-module';
import { perAxis } from '../util/per-axis';
import { modelFeeds } from './checks';
import type { Model } from './models/definition';
import { inferenceGraph, names } from './step-graph';

type Export = typeof import('../onnx/inference-export');

/**
 * The bytes of an `.onnx` file: input `image` `[N, inChannels, ...]`, output `logits`, standard operators of opset 17,
 * initializers under the names of parameters and buffers, batch and spatial sizes free (multiples of the model's free divisor).
 * At a size that the network does not take, a run of the file fails.
 *
 * @throws ShapeError when the parameters do not fit the model
 */
export async function exportInferenceOnnx(model: Model, parameters: NamedTensors): Promise<Uint8Array> {
  const spatial = perAxis(model.spatialDims, model.freeDivisor ?? model.spatialDivisor);
  const weights = [...modelFeeds(model, parameters)].map(
    ([name, { shape, data }]) => [name, float32(shape, data)] as const,
  );
  const graph = inferenceGraph(model, [1, model.inChannels, ...spatial]);
  const keepsSize = sameShape(graph.outputs.get(names.logits)!.shape.slice(2), spatial);
  const sizeCheck = {
    sizeCheck: `image_lengths_must_be_multiples_of_${[...new Set(spatial)].length === 1 ? spatial[0] : spatial.join('_')}`,
  };
  const { toInferenceOnnx } = await loadModule<Export>(join(__dirname, '..', 'onnx'), 'inference-export');
  return toInferenceOnnx(graph, new Map(weights), keepsSize ? sizeCheck : {});
}
