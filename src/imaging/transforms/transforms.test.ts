import { describe, expect, it } from 'vitest';
import { identity } from '../affine';
import type { Volume } from '../volume';
import { divisiblePad } from './divisible-pad';
import { flipInPlace } from './flip';
import { normalizeNonzero } from './normalize-intensity';
import { axisOrientations, orientRas } from './orientation';
import { composeRandomState } from './random-state';
import { scaleShiftIntensity } from './scale-shift';
import { spacing } from './spacing';
import { spatialCrop } from './spatial-crop';

/** Voxel (c, x, y, z) holds 1000c + 100x + 10y + z + 1: the value says where it came from, and none is 0. */
function located(channels: number, size: readonly [number, number, number], affine = identity(4)): Volume {
  const data: number[] = [];
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < size[0]; x++) {
      for (let y = 0; y < size[1]; y++) {
        for (let z = 0; z < size[2]; z++) data.push(1000 * c + 100 * x + 10 * y + z + 1);
      }
    }
  }
  return { data: Float32Array.from(data), shape: [channels, ...size], affine };
}

const origin = (volume: Volume): number[] => volume.affine.slice(0, 3).map((row) => row[3]!);

describe('padding', () => {
  it('adds the odd voxel behind the image and moves the origin', () => {
    const padded = divisiblePad(located(2, [3, 4, 1]), 4);
    expect(padded.shape).toEqual([2, 4, 4, 4]);
    expect(origin(padded)).toEqual([0, 0, -1]);
    // Channel 1, voxel (2, 3, 0) has moved to (2, 3, 1); behind x = 2 there are zeros.
    expect(padded.data[((4 + 2) * 4 + 3) * 4 + 1]).toBe(1231);
    expect(padded.data.subarray((4 + 3) * 16)).toEqual(new Float32Array(16));
  });

  it('returns a volume that fits as it is', () => {
    const volume = located(1, [4, 8, 4]);
    expect(divisiblePad(volume, 4)).toBe(volume);
  });
});

describe('cropping', () => {
  it('cuts the box out of every channel and moves the origin', () => {
    const crop = spatialCrop(located(2, [4, 4, 4]), { start: [1, 0, 2], size: [2, 1, 2] });
    expect([...crop.data]).toEqual([103, 104, 203, 204, 1103, 1104, 1203, 1204]);
    expect(origin(crop)).toEqual([1, 0, 2]);
  });
});

describe('flipping', () => {
  it.each([
    [0, [101, 102, 111, 112, 1, 2, 11, 12]],
    [1, [11, 12, 1, 2, 111, 112, 101, 102]],
    [2, [2, 1, 12, 11, 102, 101, 112, 111]],
  ])('mirrors along axis %i only', (axis, expected) => {
    const { data, shape } = located(1, [2, 2, 2]);
    flipInPlace(data, shape, axis);
    expect([...data]).toEqual(expected);
  });

  it('twice gives back the volume, channels apart', () => {
    const { data, shape } = located(3, [3, 4, 5]);
    for (const axis of [0, 1, 2, 2, 1, 0]) flipInPlace(data, shape, axis);
    expect(data).toEqual(located(3, [3, 4, 5]).data);
  });
});

describe('orientation', () => {
  it('flips the axes of BraTS, which run to the left and to posterior', () => {
    const brats = [
      [-1, 0, 0, 0],
      [0, -1, 0, 239],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const ras = orientRas(located(1, [2, 3, 1], brats));
    expect([...ras.data]).toEqual([121, 111, 101, 21, 11, 1]);
    expect(ras.affine).toEqual([
      [1, 0, 0, -1],
      [0, 1, 0, 237],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]);
  });

  it('permutes axes that run elsewhere', () => {
    // x runs up, y to the right, z to posterior.
    const turned = [
      [0, 2, 0, 5],
      [0, 0, -3, 6],
      [1, 0, 0, 7],
      [0, 0, 0, 1],
    ];
    const ras = orientRas(located(2, [2, 3, 4], turned));
    expect(ras.shape).toEqual([2, 3, 4, 2]);
    // RAS voxel (0, 0, 1) lies at x = 1, y = 0, z = 3.
    expect(ras.data[1]).toBe(104);
    expect(ras.affine).toEqual([
      [2, 0, 0, 5],
      [0, 3, 0, -3],
      [0, 0, 1, 7],
      [0, 0, 0, 1],
    ]);
  });

  it('gives each world axis to one voxel axis, the strongest first', () => {
    const oblique = [
      [0.8, 0.7, 0, 0],
      [-0.6, 0.72, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    expect(axisOrientations({ affine: oblique }).map(({ world }) => world)).toEqual([0, 1, 2]);
  });
});

describe('spacing', () => {
  it('leaves a volume of the target size alone, without a copy', () => {
    const volume = located(1, [3, 3, 3]);
    expect(spacing(volume, { pixdim: [1, 1, 1], mode: 'bilinear' }).data).toBe(volume.data);
  });

  it('interpolates linearly between voxels and repeats none beyond the last', () => {
    const wide = [
      [2, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const fine = spacing(located(1, [2, 1, 1], wide), { pixdim: [1, 1, 1], mode: 'bilinear' });
    expect([...fine.data]).toEqual([1, 51, 101]);
    expect(fine.affine).toEqual(identity(4));
  });

  it('rounds halves to even for the nearest voxel', () => {
    const wide = [
      [2, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ];
    const fine = spacing(located(1, [3, 1, 1], wide), { pixdim: [1, 1, 1], mode: 'nearest' });
    expect([...fine.data]).toEqual([1, 1, 101, 201, 201]);
  });
});

describe('intensities', () => {
  it('are finite after the normalisation of a constant or an empty channel', () => {
    const data = Float32Array.of(7, 7, 0, 0, 0, 0);
    normalizeNonzero(data, [2, 1, 1, 3]);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('are scaled and shifted in the background as well', () => {
    const data = Float32Array.of(0, 2);
    scaleShiftIntensity(data, 0.5, -0.25);
    expect([...data]).toEqual([-0.25, 2.75]);
  });
});

describe('random draws', () => {
  it('draw no start along an axis that is not cropped', () => {
    const full = composeRandomState(3).draw([8, 40, 40], [8, 16, 16]);
    const cropped = composeRandomState(3).draw([40, 40, 40], [16, 16, 16]);
    expect(full.start.slice(1)).toEqual(cropped.start.slice(0, 2));
    expect(full.start[0]).toBe(0);
  });
});
