/**
 * Arbitrary named tensors, for property tests of the file formats.
 *
 * @module
 */
import fc from 'fast-check';
import { allocate, bytesOf, type DType, type NamedTensors, sizeOf, type Tensor } from '../../src/tensor/tensor';

const dtypes = [
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
  'bool',
] as const satisfies readonly DType[];

const arbitraryTensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(3), { maxLength: 3 }), fc.infiniteStream(fc.nat(255)))
  .map(([dtype, shape, stream]) => {
    const tensor: Tensor = { dtype, shape, data: allocate(dtype, sizeOf(shape)) };
    const bytes = bytesOf(tensor);
    for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === 'bool' ? stream.next().value & 1 : stream.next().value;
    return tensor;
  });

/** Up to six tensors with arbitrary bytes; their dtypes are those that torch and safetensors both have. */
export const arbitraryTensors: fc.Arbitrary<NamedTensors> = fc
  .array(
    fc.tuple(
      fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__'),
      arbitraryTensor,
    ),
    { maxLength: 6 },
  )
  .map((entries) => new Map(entries));
