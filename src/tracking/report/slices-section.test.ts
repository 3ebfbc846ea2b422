import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { reportData } from '../../../test/support/report-data';
import type { SliceImages } from './report-data';
import { slicesSection } from './slices-section';

/** A 3×2 slice: first axis 3 long. The prediction is wrong by 0.5 at [2, 1] only. */
function slice(changes: Partial<SliceImages> = {}): SliceImages {
  return {
    name: 'patient-1-slice2',
    site: 'site-1',
    rank: 'best',
    shape: [3, 2],
    source: Float32Array.of(0, 0, 0, 0, 0, 2),
    target: Float32Array.of(1, 0, 0, 0, 0, 0.5),
    prediction: Float32Array.of(1, 0, 0, 0, 0, 0),
    scores: { SSIM: 0.75 },
    ...changes,
  };
}

function section(...slices: SliceImages[]): string {
  return slicesSection(reportData({ slices }))?.html ?? '';
}

function pictures(page: string): PNG[] {
  return [...page.matchAll(/data:image\/png;base64,([\w+/=]+)/g)].map(([, base64]) =>
    PNG.sync.read(Buffer.from(base64!, 'base64')),
  );
}

/** Red values row by row. */
const reds = ({ data }: PNG) => [...data].filter((_, i) => i % 4 === 0);

test('shows source, target, prediction and error as radiologists look at them', () => {
  const [source, target, prediction, error] = pictures(section(slice()));
  expect([source!.width, source!.height]).toEqual([3, 2]);
  // [2, 1], to the patient's right and front, is at the upper left; [0, 0] at the lower right.
  expect(reds(source!)).toEqual([255, 0, 0, 0, 0, 0]);
  expect(reds(target!)).toEqual([128, 0, 0, 0, 0, 255]);
  expect(reds(prediction!)).toEqual([0, 0, 0, 0, 0, 255]);
  expect([...error!.data.subarray(4, 7)]).toEqual([0, 0, 4]);
});

test('measures errors of all slices on one scale, from black to white', () => {
  const right = slice({ site: 'site-2', prediction: slice().target });
  const found = pictures(
    section(slice({ target: new Float32Array(6), prediction: new Float32Array(6).fill(0.5) }), right),
  );
  expect(reds(found[3]!)).toEqual(new Array(6).fill(252));
  expect(reds(found[7]!)).toEqual(new Array(6).fill(0));
});

test('groups by site and names rank, slice and scores', () => {
  const page = section(slice(), slice({ rank: 'worst', name: 'b' }), slice({ site: 'site-2' }));
  expect(page.match(/<h3>/g)).toHaveLength(2);
  expect(page).toContain('>worst</b>');
  expect(page).toContain('patient-1-slice2 · SSIM 0.750');
});

test('is not there without slices, and refuses an image of another size', () => {
  expect(slicesSection(reportData())).toBeUndefined();
  expect(() => section(slice({ target: new Float32Array(5) }))).toThrow(/has 5 pixels.*\[3, 2\] has 6/);
});
