/**
 * PyTorch's default initialisation, bit for bit.
 *
 * @module
 */
import { float32, type NamedTensors, sizeOf, type Tensor, tensor } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import type { BufferSpec, Initialiser, Model } from './models/definition';
import { modelState } from './training-state';

/**
 * The state that constructing the model in PyTorch after `torch.manual_seed(seed)` gives: parameters and buffers, in the
 * order of its `state_dict()`.
 *
 * @param seed its low 32 bits are used
 */
export function initialise(model: Model, seed: number): NamedTensors {
  const random = new MersenneTwister(seed);
  const specs = new Map(model.parameters.map((spec) => [spec.name, spec]));
  const drawn = new Map<string, Tensor>();
  for (const name of model.drawOrder) {
    const { shape, initialiser } = specs.get(name)!;
    drawn.set(name, float32(shape, draw(initialiser, sizeOf(shape), random)));
  }
  const parameters = model.parameters.map(({ name, shape, initialiser }) => {
    return [name, drawn.get(name) ?? float32(shape, draw(initialiser, sizeOf(shape), random))] as const;
  });
  const buffers = (model.buffers ?? []).map((spec) => [spec.name, initialBuffer(spec)] as const);
  return modelState(model, { parameters: new Map(parameters), buffers: new Map(buffers) });
}

function initialBuffer({ shape, dtype, initial }: BufferSpec): Tensor {
  if (dtype === 'int64') return tensor(dtype, shape, new BigInt64Array(sizeOf(shape)).fill(BigInt(initial)));
  return float32(shape, new Float32Array(sizeOf(shape)).fill(initial));
}

/** One 24-bit draw an element; the product and sum in double, rounded once, are the fused multiply-add of PyTorch. */
function draw(initialiser: Initialiser, length: number, random: MersenneTwister): Float32Array {
  if (initialiser.kind === 'constant') return new Float32Array(length).fill(initialiser.value);
  const bound = Math.fround(1 / Math.sqrt(initialiser.fanIn));
  const range = Math.fround(2 * bound);
  const data = new Float32Array(length);
  for (let i = 0; i < length; i++) data[i] = (random.uint32() & 0xffffff) * 2 ** -24 * range - bound;
  return data;
}
