/**
 * One synthetic patient: anatomy, tumour and four acquisitions from one seed.
 *
 * @module
 */
import { stream } from '../../util/streams';
import type { Size3 } from '../volume';
import { drawAnatomy } from './anatomy';
import { acquire, MODALITIES, type Modality, scannerOf } from './scanner';
import { smoothField } from './smooth-field';
import { drawTumour, type TumourOptions } from './tumour';

export interface CaseOptions extends TumourOptions {
  readonly size: Size3;
  /** Index of the scanner. */
  readonly scanner: number;
  readonly seed: number;
}

export interface DrawnCase {
  /** C order of the size. */
  readonly images: Readonly<Record<Modality, Int16Array>>;
  /** 0, 1, 2, 4. */
  readonly labels: Uint8Array;
}

/** Draws a patient. Equal options give equal voxels. */
export function drawCase(options: CaseOptions): DrawnCase {
  const { size, seed, grade } = options;
  const anatomy = drawAnatomy(stream(seed, 'anatomy'), size);
  const tumour = drawTumour(stream(seed, 'tumour'), anatomy, options);
  const texture = smoothField(stream(seed, 'texture'), size, Math.max(2.2, Math.min(...size) / 30));
  const scanner = scannerOf(options.scanner);
  const image = (modality: Modality): Int16Array =>
    acquire(stream(seed, 'acquisition', modality), { anatomy, tumour, grade }, { modality, scanner, texture });
  const [t1ce, t1, t2, flair] = MODALITIES.map(image) as [Int16Array, Int16Array, Int16Array, Int16Array];
  return { images: { t1ce, t1, t2, flair }, labels: tumour.labels };
}
