import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { caseImages } from '../../../test/support/report-data';
import { cutSlice, pngDataUri } from './slice';

test('takes the slice with most labelled voxels', () => {
  expect(cutSlice(caseImages()).index).toBe(2);
});

test('takes the prediction where the truth is empty, and the middle where both are', () => {
  const empty = new Uint8Array(480);
  const prediction = empty.slice();
  prediction[1] = 2;
  expect(cutSlice(caseImages({ truth: empty, prediction })).index).toBe(1);
  expect(cutSlice(caseImages({ truth: empty, prediction: empty })).index).toBe(2);
});

test("shows the patient's right on the left and the face up, cut to the head", () => {
  const { truth, modalities } = cutSlice(caseImages());
  const { width, height, data } = truth;
  // The head is 8 wide (x 2 to 9) and 7 long (y 1 to 7): a square of 9 around it, beginning at x = 1 and y = 0.
  expect([width, height]).toEqual([9, 9]);
  const labels = Array.from({ length: height }, (_, row) => [...data.subarray(row * width, (row + 1) * width)]);
  // x runs from 9 on the left to 1 on the right, y from 8 at the top to 0: label 4 at x = 3, 1 at x = 4, 2 at x = 5 and 6.
  expect(labels[3]).toEqual([0, 0, 0, 2, 2, 1, 4, 0, 0]);
  expect(labels[2]).toEqual(new Array(9).fill(0));
  expect(labels[5]).toEqual(labels[3]);
  const grey = modalities[0]!.plane.data;
  expect(grey[8 * 9]).toBe(0);
  // The brightest voxel is in front on the patient's right, x = 9 and y = 7.
  expect(grey[1 * 9 + 0]).toBe(255);
});

test('fits a shape to its data', () => {
  expect(() => cutSlice(caseImages({ truth: new Uint8Array(5) }))).toThrow("An image of case 'Case_1' has 5 voxels");
});

test('an empty or constant volume is drawn without dividing by zero', () => {
  const modality = (value: number) => [{ name: 'T1', data: new Float32Array(480).fill(value) }];
  expect(new Set(cutSlice(caseImages({ modalities: modality(0) })).modalities[0]!.plane.data)).toEqual(new Set([0]));
  const constant = cutSlice(caseImages({ modalities: modality(3) })).modalities[0]!.plane;
  expect(new Set(constant.data)).toEqual(new Set([0, 24]));
});

test('a picture is a greyscale PNG', () => {
  const uri = pngDataUri({ width: 2, height: 1, data: Uint8Array.of(10, 200) });
  const png = PNG.sync.read(Buffer.from(uri.split(',')[1]!, 'base64'));
  expect([png.width, png.height, ...png.data]).toEqual([2, 1, 10, 10, 10, 255, 200, 200, 200, 255]);
});
