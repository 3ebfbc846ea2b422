import { FilterBlockedError } from '../errors';
import type { Payload } from '../protocol/payload';
import type { NamedTensors, Tensor } from '../tensor/tensor';
import { allocate } from '../tensor/tensor';

/** The tensors of an update that a privacy mechanism works on: float32 and float64 of at least one axis, in order. */
export interface NoisableTensor extends Tensor<'float32' | 'float64'> {
  readonly name: string;
}

function isNoisable(tensor: Tensor): tensor is Tensor<'float32' | 'float64'> {
  return (tensor.dtype === 'float32' || tensor.dtype === 'float64') && tensor.shape.length > 0;
}

/** The noisable tensors of an update, every number of the update being finite. @throws FilterBlockedError */
export function noisableTensors(filter: string, payload: Payload): readonly NoisableTensor[] {
  if (!Number.isSafeInteger(payload.steps) || payload.steps < 1) {
    throw new FilterBlockedError(
      `Filter '${filter}' divides an update by its step count, which must be an integer of at least 1. Nothing was sent.`,
    );
  }
  const found: NoisableTensor[] = [];
  for (const [name, tensor] of payload.tensors) {
    if (!allFinite(tensor)) {
      throw new FilterBlockedError(
        `Filter '${filter}' refused the update: tensor '${name}' holds NaN or infinite numbers. Nothing was sent.`,
        { hint: 'Training diverged at this site: lower the learning rate, or look for broken images.' },
      );
    }
    if (isNoisable(tensor)) found.push({ ...tensor, name });
  }
  if (found.every((tensor) => tensor.data.length === 0)) {
    throw new FilterBlockedError(`Filter '${filter}' found no numbers to protect in the update. Nothing was sent.`);
  }
  return found;
}

function allFinite({ data }: Tensor): boolean {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return true;
  // NaN and infinite numbers times zero are NaN, which no later addition undoes: one test for the whole tensor.
  let poison = 0;
  for (let i = 0; i < data.length; i++) poison += data[i]! * 0;
  return poison === 0;
}

/**
 * The update with the given tensors in place of the noisable ones. Everything else (scalars, integers, booleans) could
 * not be noised and leaves as zeros, "no change"; nothing raw passes.
 */
export function withNoised(payload: Payload, noised: ReadonlyMap<string, Tensor>): Payload {
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data }] of payload.tensors) {
    tensors.set(name, noised.get(name) ?? { dtype, shape, data: allocate(dtype, data.length) });
  }
  const result: NamedTensors = tensors;
  return { ...payload, tensors: result };
}
