/**
 * PyTorch's default initialisation, bit for bit.
 *
 * @module
 */
import { float32, type NamedTensors, sizeOf, type Tensor } from '../tensor/tensor';
import { MersenneTwister } from '../util/mersenne-twister';
import type { Initialiser, Model } from './models/definition';

/**
 * The parameters that constructing the model in PyTorch after `torch.manual_seed(seed)` gives, in state order.
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
  return new Map(
    model.parameters.map(({ name, shape, initialiser }) => [
      name,
      drawn.get(name) ?? float32(shape, draw(initialiser, sizeOf(shape), random)),
    ]),
  );
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
