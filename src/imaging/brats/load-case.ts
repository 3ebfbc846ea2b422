/**
 * BraTS cases from disk: four modalities and a label map, checked and brought to 1 mm voxels.
 *
 * @module
 */
import { type Affine, spacingOf } from '../affine';
import { badFile } from '../data-error';
import type { DatalistItem } from '../datalist';
import { readNifti } from '../nifti/read-nifti';
import { spacing } from '../transforms/spacing';
import { checkGeometry, stackChannels, warningsOf } from '../transforms/stack-channels';
import { type Size3, spatialSize, type Volume } from '../volume';
import { findInvalidLabel, labelsToRegions } from './labels';

/** A case in memory: an image of four channels (T1ce, T1, T2, FLAIR) and its regions (TC, WT, ET as 0 and 1) on one grid. */
export interface BratsCase {
  readonly image: Volume;
  readonly label: Volume;
  /** What was odd about the files and how it was taken; holds file names, so it stays at the site. */
  readonly warnings: readonly string[];
}

/** A case and the grid that its files are on. */
export interface LoadedCase extends BratsCase {
  readonly original: { readonly shape: Size3; readonly affine: Affine };
}

const VOXEL_SIZE: Size3 = [1, 1, 1];

/** No head is longer; a header that says so has its voxel sizes in another unit, and would take gigabytes at 1 mm. */
const LONGEST_EXTENT_MM = 512;

/**
 * Loads a case and resamples it to 1 mm voxels, which BraTS has already; the axes run as in the files.
 *
 * @throws DataError when a file cannot be read, or the files do not make up a case.
 */
export async function loadCase({ image: imageFiles, label: labelFile }: DatalistItem): Promise<LoadedCase> {
  const [image, labels] = await Promise.all([stackChannels(imageFiles), readNifti(labelFile)]);
  checkFinite(image, imageFiles);
  checkExtent(image, imageFiles[0]!);
  const size = spatialSize(image.shape);
  const reference = { file: imageFiles[0]!, volume: { shape: size, affine: image.affine } };
  checkGeometry({ file: labelFile, volume: labels }, reference);
  checkLabels(labels.data, labelFile);
  const regions: Volume = { data: labelsToRegions(labels.data), shape: [3, ...size], affine: labels.affine };
  return {
    image: spacing(image, { pixdim: VOXEL_SIZE, mode: 'bilinear' }),
    label: spacing(regions, { pixdim: VOXEL_SIZE, mode: 'nearest' }),
    warnings: [...image.warnings, ...warningsOf([labelFile], [labels])],
    original: { shape: size, affine: image.affine },
  };
}

function checkExtent({ shape, affine }: Volume, file: string): void {
  const sizes = spacingOf(affine);
  const extents = spatialSize(shape).map((n, axis) => Math.round(n * sizes[axis]!));
  if (extents.every((mm) => mm <= LONGEST_EXTENT_MM)) return;
  const problem = `is ${extents.join('×')} mm large with voxels of ${sizes.join('×')} mm, expected at most ${LONGEST_EXTENT_MM} mm.`;
  throw badFile(file, problem, 'Correct the voxel sizes in the header: the affine must be in millimetres.');
}

function checkFinite(image: Volume, files: readonly string[]): void {
  const voxels = image.data.length / files.length;
  for (let i = 0; i < image.data.length; i++) {
    if (Number.isFinite(image.data[i]!)) continue;
    const problem = `holds a voxel that is ${image.data[i]}, expected finite intensities.`;
    throw badFile(files[Math.floor(i / voxels)]!, problem, 'Repair the volume, or take the case off the datalist.');
  }
}

function checkLabels(labels: Float32Array, file: string): void {
  const invalid = findInvalidLabel(labels);
  if (invalid === undefined) return;
  const hint =
    'BraTS labels are 0 background, 1 necrosis, 2 edema, 4 enhancing tumour: convert other numberings first.';
  throw badFile(file, `holds the label ${invalid}, expected only 0, 1, 2 and 4.`, hint);
}
