import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slidingWindow, windowStarts } from './sliding-window';
import { type Size3, voxelsOf } from './volume';

const extent = fc.integer({ min: 1, max: 9 });
const size3 = fc.tuple(extent, extent, extent);

/** The identity on the first channel. */
const firstChannel = async (window: Float32Array, [channels]: readonly number[]) =>
  window.slice(0, window.length / channels!);

describe('sliding windows', () => {
  it.each(['constant', 'gaussian'] as const)('blend equal predictions to themselves: %s', async (mode) => {
    await fc.assert(
      fc.asyncProperty(size3, size3, fc.constantFrom(0, 0.25, 0.5, 0.9), async (size, roi, overlap) => {
        const data = Float32Array.from({ length: 2 * voxelsOf(size) }, (_, i) => (i * 37) % 11);
        const out = await slidingWindow({ data, shape: [2, ...size] }, { roi, overlap, mode }, firstChannel);
        expect(out.shape).toEqual([1, ...size]);
        out.data.forEach((value, i) => {
          expect(value).toBeCloseTo(data[i]!, 4);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('cover the image and end with it', () => {
    fc.assert(
      fc.property(size3, size3, fc.double({ min: 0, max: 0.99, noNaN: true }), (size, roi, overlap) => {
        const window = roi.map((n, axis) => Math.min(n, size[axis]!)) as [number, number, number];
        const starts = windowStarts(size, window, overlap);
        for (const axis of [0, 1, 2]) {
          const along = [...new Set(starts.map((start) => start[axis]!))];
          expect(along[0]).toBe(0);
          expect(along.at(-1)! + window[axis]!).toBe(size[axis]);
          along.slice(1).forEach((start, i) => {
            expect(start - along[i]!).toBeLessThanOrEqual(window[axis]!);
          });
        }
      }),
    );
  });

  it('are padded with zeros around an image that is smaller, half of it (rounded down) before', async () => {
    let seen: Float32Array | undefined;
    await slidingWindow({ data: Float32Array.of(1, 2), shape: [1, 1, 1, 2] }, { roi: [1, 1, 5] }, async (window) => {
      seen = window;
      return window;
    });
    expect([...seen!]).toEqual([0, 1, 2, 0, 0]);
  });

  it('take the extent of the image for a roi of 0', async () => {
    const shapes: Size3[] = [];
    await slidingWindow(
      { data: new Float32Array(24), shape: [1, 2, 3, 4] },
      { roi: [0, 2, -1] },
      async (window, shape) => {
        shapes.push([shape[1], shape[2], shape[3]]);
        return window;
      },
    );
    expect(shapes).toEqual([
      [2, 2, 4],
      [2, 2, 4],
    ]);
  });

  it.each([1, -0.1, Number.NaN])('refuse an overlap of %s', async (overlap) => {
    const image = { data: new Float32Array(8), shape: [1, 2, 2, 2] as const };
    await expect(slidingWindow(image, { roi: [2, 2, 2], overlap }, firstChannel)).rejects.toThrow(
      `is ${overlap}, expected`,
    );
  });

  it('refuse a prediction that does not fit the window', async () => {
    const image = { data: new Float32Array(8), shape: [1, 2, 2, 2] as const };
    const wrong = async () => new Float32Array(7);
    await expect(slidingWindow(image, { roi: [2, 2, 2] }, wrong)).rejects.toThrow(
      'has 7 numbers, expected a multiple of 8',
    );
  });
});
