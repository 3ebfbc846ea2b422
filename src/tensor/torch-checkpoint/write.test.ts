import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arbitraryTensors } from '../../../test/support/arbitrary-tensors';
import { readZip } from '../../util/zip-read';
import { float32, tensor } from '../tensor';
import { decodeTorchCheckpoint } from './read';
import { encodeTorchCheckpoint } from './write';

test('any tensors come back as they were, in order, under "model"', () => {
  fc.assert(
    fc.property(arbitraryTensors, (tensors) => {
      const read = decodeTorchCheckpoint(encodeTorchCheckpoint(tensors));
      expect([...read.tensors]).toEqual([...tensors]);
      expect(read).toMatchObject({ wrapper: 'model', otherKeys: [], ignored: [], widened: [] });
    }),
  );
});

test('unsigned types, for which torch has no storage class, come back too', () => {
  const tensors = new Map([['n', tensor('uint64', [2], BigUint64Array.of(1n, 2n ** 63n))]]);
  expect(decodeTorchCheckpoint(encodeTorchCheckpoint(tensors)).tensors).toEqual(tensors);
});

test('equal tensors give equal bytes, with the entries that torch asks for', () => {
  const tensors = new Map([['w', float32([2], [1, 2])]]);
  const bytes = encodeTorchCheckpoint(tensors);
  expect(bytes).toEqual(encodeTorchCheckpoint(new Map(tensors)));
  const zip = readZip(bytes);
  expect(zip.names).toEqual(['archive/data.pkl', 'archive/byteorder', 'archive/data/0', 'archive/version']);
  expect(new TextDecoder().decode(zip.read('archive/version'))).toBe('3\n');
  expect(zip.read('archive/data/0').byteOffset % 64).toBe(0);
});
