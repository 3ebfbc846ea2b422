/**
 * PyTorch's initialisation: uniform draws bit for bit, normal ones to the last digits.
 *
 * @module
 */
import { float32, type NamedTensors, type Shape, sizeOf, type Tensor, tensor } from '../tensor/tensor';
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
  const shapes = new Map(model.parameters.map(({ name, shape }) => [name, shape]));
  const drawn = new Map<string, Float32Array>();
  const draw = (initialiser: Initialiser, shape: Shape): Float32Array => {
    const length = sizeOf(shape);
    switch (initialiser.kind) {
      case 'constant':
        return new Float32Array(length).fill(initialiser.value);
      case 'uniform':
        return drawUniform(initialiser.fanIn, length, random);
      case 'normal': {
        const { mean, deviation, copies = 1 } = initialiser;
        return repeatRows(normal.draw(length / copies, mean, deviation), sizeOf(shape.slice(1)), copies);
      }
    }
  };
  for (const { name, initialiser } of model.draws)
    drawn.set(name, draw(initialiser, name === '' ? [] : shapes.get(name)!));
  const parameters = model.parameters.map(({ name, shape, initialiser }) => {
    return [name, float32(shape, drawn.get(name) ?? draw(initialiser, shape))] as const;
  });
  const buffers = (model.buffers ?? []).map((spec) => [spec.name, initialBuffer(spec)] as const);
  return modelState(model, { parameters: new Map(parameters), buffers: new Map(buffers) });
}

/** Each run of `row` numbers `copies` times, one after the other. */
function repeatRows(data: Float32Array, row: number, copies: number): Float32Array {
  if (copies === 1) return data;
  return Float32Array.from({ length: data.length * copies }, (_, i) => {
    return data[Math.floor(i / (row * copies)) * row + (i % row)]!;
  });
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
