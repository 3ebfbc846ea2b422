/**
 * The folders of a set of slices: `<folder>/{train,validation,test}/{t1,t2,flair,mask}/patient-<id>-slice<n>.npy`.
 *
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { badFile } from '../data-error';
import { compareSliceNames, parseSliceName, type SliceName, sliceFileName } from './slice-name';

export const contrasts = ['t1', 't2', 'flair'] as const;
export type Contrast = (typeof contrasts)[number];

export const splits = ['train', 'validation', 'test'] as const;
export type SliceSplit = (typeof splits)[number];

/** A slice in two contrasts, with its mask where the data have masks. */
export interface SlicePair extends SliceName {
  /** The file's name without its suffix. */
  readonly name: string;
  /** Files. */
  readonly source: string;
  readonly target: string;
  readonly mask: string | undefined;
}

/** What is translated into what. */
export interface Wanted {
  readonly source: Contrast;
  readonly target: Contrast;
}

const LAYOUT_HINT =
  "Expected <folder>/{train,validation,test}/{t1,t2,flair}/patient-<id>-slice<n>.npy; 'consilium data slices' writes that.";

/**
 * The slices of a split that are there in both contrasts, patient by patient.
 *
 * @throws DataError when a folder is missing or empty, and when a slice has no partner or, beside other masks, no mask.
 */
export async function listSlices(
  folder: string,
  split: SliceSplit,
  { source, target }: Wanted,
): Promise<readonly SlicePair[]> {
  const at = (contrast: Contrast | 'mask') => join(folder, split, contrast);
  const [ofSource, ofTarget, masks] = [
    await namesIn(at(source)),
    await namesIn(at(target)),
    await namesIn(at('mask'), { optional: true }),
  ];
  checkPartners(ofSource, ofTarget, at(source), at(target));
  checkPartners(ofTarget, ofSource, at(target), at(source));
  if (masks.length > 0) checkPartners(ofSource, masks, at(source), at('mask'));
  return ofSource.map((slice) => {
    const file = sliceFileName(slice);
    const mask = masks.length > 0 ? join(at('mask'), file) : undefined;
    return { ...slice, name: file.slice(0, -4), source: join(at(source), file), target: join(at(target), file), mask };
  });
}

/** The contrasts that a folder has training slices in. */
export async function contrastsIn(folder: string): Promise<readonly Contrast[]> {
  const empty = await Promise.all(contrasts.map((one) => isEmpty(join(folder, 'train', one))));
  return contrasts.filter((_, i) => !empty[i]);
}

/** Stands for a site's name in the path of a folder. */
export const SITE = '{site}';

/** Folders that `{site}` may stand for, by name. */
export interface FoldersFound {
  /** Those with training slices in both contrasts. */
  readonly folders: readonly string[];
  /** Those with training slices, but not in both. */
  readonly leftOut: readonly string[];
}

/**
 * The folders of all sites.
 *
 * @param pattern a path in which `{site}` is the name of one folder.
 * @throws DataError when there is none with both contrasts.
 */
export async function findFolders(pattern: string, wanted: Wanted): Promise<FoldersFound> {
  const [before, after] = pattern.split(SITE) as [string, string];
  const names = await readdir(before).catch((error: Error) => {
    throw badFile(
      before,
      `cannot be read (${error.message}).`,
      'It should hold a folder of slices for each site.',
      error,
    );
  });
  const found = { folders: [] as string[], leftOut: [] as string[] };
  for (const name of names.sort()) {
    const folder = `${before}${name}${after}`;
    if (await isEmpty(join(folder, 'train'))) continue;
    const lacks =
      (await isEmpty(join(folder, 'train', wanted.source))) || (await isEmpty(join(folder, 'train', wanted.target)));
    (lacks ? found.leftOut : found.folders).push(folder);
  }
  if (found.folders.length > 0) return found;
  throw badFile(before, `no folder with training slices in ${wanted.source} and ${wanted.target}.`, LAYOUT_HINT);
}

async function isEmpty(folder: string): Promise<boolean> {
  return ((await entriesOf(folder)) ?? []).length === 0;
}

/** `undefined` when there is no such folder. @throws DataError when it cannot be read. */
async function entriesOf(folder: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return;
    throw badFile(folder, `cannot be read (${(error as Error).message}).`, 'Check the rights of this user.', error);
  }
}

/** Names in order. @throws DataError, unless the folder may be missing. */
async function namesIn(folder: string, { optional = false } = {}): Promise<readonly SliceName[]> {
  const entries = await entriesOf(folder);
  if (!entries && !optional) throw badFile(folder, 'there is no such folder of slices.', LAYOUT_HINT);
  const files = (entries ?? []).filter((entry) => entry.endsWith('.npy'));
  const slices = files.map((file) => {
    const name = parseSliceName(file);
    // A name with leading zeros would be written differently again, and so not be found.
    if (name && sliceFileName(name) === file) return name;
    throw badFile(join(folder, file), 'a slice of this name is not known.', 'Expected patient-<id>-slice<n>.npy.');
  });
  if (slices.length === 0 && !optional) throw badFile(folder, 'the folder has no slices.', LAYOUT_HINT);
  return slices.sort(compareSliceNames);
}

/** @throws DataError naming the first slice that is not among the others. */
function checkPartners(
  slices: readonly SliceName[],
  others: readonly SliceName[],
  folder: string,
  otherFolder: string,
): void {
  const known = new Set(others.map(sliceFileName));
  const alone = slices.map(sliceFileName).find((file) => !known.has(file));
  if (alone === undefined) return;
  throw badFile(join(folder, alone), `there is no slice of this name in ${otherFolder}.`, LAYOUT_HINT);
}
