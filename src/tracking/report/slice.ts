/**
 * Axial slices of a case, ready to draw: the slice with most tumour, cut to the head, seen as radiologists do (the
 * patient's right on the left, the face up), grey values between percentiles.
 *
 * @module
 */
import { ShapeError } from '../../errors';
import type { CaseImages } from './report-data';

/** Row by row from the upper left. */
export interface Plane<A> {
  readonly width: number;
  readonly height: number;
  readonly data: A;
}

export interface CaseSlice {
  /** Index along Z. */
  readonly index: number;
  readonly modalities: readonly { readonly name: string; readonly plane: Plane<Uint8Array> }[];
  readonly truth: Plane<Uint8Array>;
  readonly prediction: Plane<Uint8Array>;
}

/** @throws ShapeError when an array does not have the size of the case's shape. */
export function cutSlice(images: CaseImages): CaseSlice {
  checkSizes(images);
  const index = mostLabelled(images);
  const box = headBox(images, index);
  const cut = <A extends Float32Array | Uint8Array>(data: A) => cutPlane(images.shape, index, box, data);
  return {
    index,
    modalities: images.modalities.map(({ name, data }) => ({ name, plane: toGrey(cut(data)) })),
    truth: cut(images.truth),
    prediction: cut(images.prediction),
  };
}

/** Loaded at the first picture: importing the library stays quick. */
function pngjs(): typeof import('pngjs') {
  return require('pngjs');
}

/** The plane as an 8-bit PNG in a data URI: grey, or with `rgb` three bytes a pixel. */
export function pngDataUri({ width, height, data }: Plane<Uint8Array>, colours: 'grey' | 'rgb' = 'grey'): string {
  const { PNG } = pngjs();
  const image = Object.assign(new PNG({ width, height }), { data: Buffer.from(data) });
  const colorType = colours === 'grey' ? 0 : 2;
  const bytes = PNG.sync.write(image, { colorType, inputColorType: colorType, bitDepth: 8, inputHasAlpha: false });
  return `data:image/png;base64,${bytes.toString('base64')}`;
}

function checkSizes({ name, shape, modalities, truth, prediction }: CaseImages): void {
  const size = shape[0] * shape[1] * shape[2];
  for (const data of [...modalities.map((modality) => modality.data), truth, prediction]) {
    if (data.length === size) continue;
    throw new ShapeError(`An image of case '${name}' has ${data.length} voxels, but its shape [${shape}] has ${size}.`);
  }
}

/** The slice with most labelled voxels in the truth, else in the prediction, else the middle one. */
function mostLabelled({ shape: [x, y, z], truth, prediction }: CaseImages): number {
  for (const labels of [truth, prediction]) {
    const counts = new Array<number>(z).fill(0);
    for (let i = 0; i < x * y * z; i++) if (labels[i] !== 0) counts[i % z]!++;
    const most = Math.max(...counts);
    if (most > 0) return counts.indexOf(most);
  }
  return Math.floor(z / 2);
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** The smallest square around all voxels of the slice that are not background, with a margin; it may reach outside. */
function headBox({ shape: [sizeX, sizeY, sizeZ], modalities }: CaseImages, z: number): Box {
  let [left, right, back, front] = [sizeX, -1, sizeY, -1];
  for (let x = 0; x < sizeX; x++) {
    for (let y = 0; y < sizeY; y++) {
      const i = (x * sizeY + y) * sizeZ + z;
      if (modalities.every(({ data }) => data[i] === 0)) continue;
      [left, right, back, front] = [Math.min(left, x), Math.max(right, x), Math.min(back, y), Math.max(front, y)];
    }
  }
  if (right < 0) [left, right, back, front] = [0, sizeX - 1, 0, sizeY - 1];
  const extent = Math.max(right - left, front - back) + 1;
  const side = Math.ceil(extent * 1.06);
  return { side, x: Math.floor((left + right + 1 - side) / 2), y: Math.floor((back + front + 1 - side) / 2) };
}

/** Columns run from the patient's right to the left, rows from front to back; outside the volume is 0. */
function cutPlane<A extends Float32Array | Uint8Array>(
  [sizeX, sizeY, sizeZ]: CaseImages['shape'],
  z: number,
  { x: x0, y: y0, side }: Box,
  data: A,
): Plane<A> {
  const plane = data instanceof Float32Array ? new Float32Array(side * side) : new Uint8Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const x = x0 + side - 1 - column;
      const y = y0 + side - 1 - row;
      if (x < 0 || y < 0 || x >= sizeX || y >= sizeY) continue;
      plane[row * side + column] = data[(x * sizeY + y) * sizeZ + z]!;
    }
  }
  return { width: side, height: side, data: plane as A };
}

/** Background black; the other values linear from dark grey at their 1st to white at their 99.5th percentile. */
function toGrey({ width, height, data }: Plane<Float32Array>): Plane<Uint8Array> {
  const values = data.filter((value) => value !== 0 && Number.isFinite(value)).sort();
  const low = values[Math.floor(0.01 * (values.length - 1))] ?? 0;
  const high = values[Math.ceil(0.995 * (values.length - 1))] ?? 0;
  const range = high > low ? high - low : 1;
  const grey = Uint8Array.from(data, (value) => {
    if (value === 0 || !Number.isFinite(value)) return 0;
    return Math.round(24 + 231 * Math.min(1, Math.max(0, (value - low) / range)));
  });
  return { width, height, data: grey };
}
