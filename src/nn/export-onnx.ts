/**
 * Trained models for other software.
 *
 * @module
 */
import { toInferenceOnnx } from '../onnx/inference-export';
import { float32, type NamedTensors } from '../tensor/tensor';
import { modelFeeds } from './checks';
import type { Model } from './models/definition';
import { inferenceGraph } from './step-graph';

/**
 * The bytes of an `.onnx` file: input `image` `[N, inChannels, ...]`, output `logits`, standard operators of opset 17,
 * initializers under the names of parameters and buffers, batch and spatial sizes free (multiples of the model's free divisor).
 *
 * @throws ShapeError when the parameters do not fit the model
 */
export function exportInferenceOnnx(model: Model, parameters: NamedTensors): Uint8Array {
  const spatial = new Array<number>(model.spatialDims).fill(model.freeDivisor ?? model.spatialDivisor);
  const weights = [...modelFeeds(model, parameters)].map(
    ([name, { shape, data }]) => [name, float32(shape, data)] as const,
  );
  return toInferenceOnnx(inferenceGraph(model, [1, model.inChannels, ...spatial]), new Map(weights));
}
