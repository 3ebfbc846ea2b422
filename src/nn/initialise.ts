/**
 * PyTorch's initialisation: uniform draws bit for bit, normal ones to the last digits.
 *
 * @module
 */
import { float32, type NamedTensors, sizeOf, type Tensor, tensor } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import type { BufferSpec, Initialiser, Model } from './models/definition';
import { NormalSource, uniform24 } from './normal-source';
import { modelState } from './training-state';

/**
 * The state that constructing the model in PyTorch after `torch.manual_seed(seed)` gives: parameters and buffers, in the
 * order of its `state_dict()`.
 *
 * @param seed its low 32 bits are used
 */
export function initialise(model: Model, seed: number): NamedTensors {
  const random = new MersenneTwister(seed);
  const normal = new NormalSource(random);
  const sizes = new Map(model.parameters.map(({ name, shape }) => [name, sizeOf(shape)]));
  const drawn = new Map<string, Float32Array>();
  const draw = (initialiser: Initialiser, length: number): Float32Array => {
    switch (initialiser.kind) {
      case 'constant':
        return new Float32Array(length).fill(initialiser.value);
      case 'uniform':
        return drawUniform(initialiser.fanIn, length, random);
      case 'normal':
        return normal.draw(length, initialiser.mean, initialiser.deviation);
    }
  };
  for (const { name, initialiser } of model.draws)
    drawn.set(name, draw(initialiser, name === '' ? 1 : sizes.get(name)!));
  const parameters = model.parameters.map(({ name, shape, initialiser }) => {
    return [name, float32(shape, drawn.get(name) ?? draw(initialiser, sizeOf(shape)))] as const;
  });
  const buffers = (model.buffers ?? []).map((spec) => [spec.name, initialBuffer(spec)] as const);
  return modelState(model, { parameters: new Map(parameters), buffers: new Map(buffers) });
}

function initialBuffer({ shape, dtype, initial }: BufferSpec): Tensor {
  if (dtype === 'int64') return tensor(dtype, shape, new BigInt64Array(sizeOf(shape)).fill(BigInt(initial)));
  return float32(shape, new Float32Array(sizeOf(shape)).fill(initial));
}

/** One 24-bit draw an element; the product and sum in double, rounded once, are the fused multiply-add of PyTorch. */
function drawUniform(fanIn: number, length: number, random: MersenneTwister): Float32Array {
  const bound = Math.fround(1 / Math.sqrt(fanIn));
  const range = Math.fround(2 * bound);
  const data = new Float32Array(length);
  for (let i = 0; i < length; i++) data[i] = uniform24(random) * range - bound;
  return data;
}
