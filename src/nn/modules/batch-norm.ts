/**
 * Batch normalisation as a module.
 *
 * @module
 */
import { batchNorm } from '../layers/batch-norm';
import type { BufferSpec, ParameterSpec } from '../models/definition';
import { leaf, type Module } from './module';

/** PyTorch's BatchNorm of `channels` channels, running statistics and the count of batches included. */
export function batchNormalisation(channels: number): Module {
  const parameter = (name: string, value: number): { readonly parameter: ParameterSpec } => ({
    parameter: { name, shape: [channels], initialiser: { kind: 'constant', value }, normalisation: true },
  });
  const buffer = (name: string, initial: number): { readonly buffer: BufferSpec } => ({
    buffer: { name, shape: [channels], dtype: 'float32', initial, normalisation: true },
  });
  const counter: BufferSpec = {
    name: 'num_batches_tracked',
    shape: [],
    dtype: 'int64',
    initial: 0,
    normalisation: true,
  };
  const state = [
    parameter('weight', 1),
    parameter('bias', 0),
    buffer('running_mean', 0),
    buffer('running_var', 1),
    { buffer: counter },
  ];
  return leaf(state, (at, x) => {
    const statistics = { runningMean: at.buffer('running_mean'), runningVar: at.buffer('running_var') };
    const values = { weight: at.parameter('weight'), bias: at.parameter('bias'), ...statistics };
    const { y, nextMean, nextVar } = batchNorm(at.b, x!, values, { training: at.training });
    if (at.training) {
      at.setBuffer('running_mean', nextMean);
      at.setBuffer('running_var', nextVar);
    }
    return y;
  });
}
