import { describe, expect, it } from 'vitest';
import { decodeSafetensors } from './safetensors';
import { openSealed, seal, sealableParts } from './sealed-safetensors';
import { float32, type NamedTensors } from './tensor';

const tensors: NamedTensors = new Map([
  ['m', float32([2, 2], [1, 2, 3, -4])],
  ['v', float32([3], [0.5, 0, 1])],
]);

function sealed(): Buffer {
  const parts = sealableParts(tensors);
  seal(parts);
  return Buffer.concat(parts);
}

describe('a sealed file', () => {
  it('is a safetensors file, and gives its tensors back', () => {
    expect(openSealed(sealed())).toEqual(tensors);
    expect(decodeSafetensors(sealed()).tensors).toEqual(tensors);
  });

  it('has the same bytes when it is sealed again', () => {
    const parts = sealableParts(tensors);
    seal(parts);
    seal(parts);
    expect(Buffer.concat(parts)).toEqual(sealed());
  });

  it('tells of any wrong bit, and of any cut', () => {
    const file = sealed();
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const changed = Buffer.from(file);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => openSealed(changed)).toThrow(expect.objectContaining({ tag: 'DataError' }));
    }
    for (let size = 0; size < file.length; size++) {
      expect(() => openSealed(file.subarray(0, size))).toThrow(expect.objectContaining({ tag: 'DataError' }));
    }
  });

  it('is not opened before it is sealed', () => {
    expect(() => openSealed(Buffer.concat(sealableParts(tensors)))).toThrow('its checksum differs');
  });
});
