/**
 * Which NIfTI files of a folder are which contrast of which patient, told from their names.
 *
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors';
import { badFile } from '../data-error';
import { type Contrast, contrasts } from './layout';

export interface PatientVolumes {
  /** As in the names of the files. */
  readonly patient: string;
  /** Files. */
  readonly contrasts: { readonly [K in Contrast]?: string };
  readonly mask: string | undefined;
}

type Kind = Contrast | 'mask';

/** What files and folders of a kind are called, in lower case: those of BraTS 2018 to 2023, UCSF-PDGM and BIDS among them. */
const names: Readonly<Record<Kind, readonly string[]>> = {
  t1: ['t1', 't1w', 't1n'],
  t2: ['t2', 't2w'],
  flair: ['flair', 't2f', 't2flair', 't2_flair'],
  mask: ['seg', 'mask', 'label', 'tumor_segmentation', 'tumour_segmentation'],
};

const kindOfName = new Map(Object.entries(names).flatMap(([kind, all]) => all.map((name) => [name, kind as Kind])));
const suffix = new RegExp(`^(.+?)[._-](${[...kindOfName.keys()].sort((a, b) => b.length - a.length).join('|')})$`, 'i');

/** Folders below the given one that are looked into. */
const MOST_DEPTH = 3;
const MOST_FILES = 100_000;

/**
 * The patients of a folder in the order of their names. A file belongs to a patient either by its suffix, as in
 * `<patient>_t1.nii.gz` anywhere below the folder, or by the folder it lies in, as in `t1/<patient>.nii.gz`. Other files are left alone.
 *
 * @throws DataError when there are none, when two files are the same contrast of a patient, and from the disk.
 */
export async function findVolumes(folder: string): Promise<readonly PatientVolumes[]> {
  const patients = new Map<string, Partial<Record<Kind, string>>>();
  for (const { file, above, stem } of await niftiFiles(folder)) {
    const found = placeOf(stem, above);
    if (!found) continue;
    const files = patients.get(found.patient) ?? {};
    patients.set(found.patient, files);
    const other = files[found.kind];
    if (other !== undefined) {
      throw badFile(file, `is ${found.kind} of '${found.patient}', but so is ${other}.`, 'Move one of them away.');
    }
    files[found.kind] = file;
  }
  const all = [...patients].map(([patient, { mask, ...rest }]) => ({ patient, contrasts: rest, mask }));
  if (all.length > 0) return all.sort((a, b) => (a.patient < b.patient ? -1 : 1));
  throw new DataError(`${folder}: no volumes in ${contrasts.join(', ')} found.`, {
    file: folder,
    hint: 'Expected <patient>_t1.nii.gz, <patient>_t2.nii.gz, … below it, or t1/<patient>.nii.gz, t2/<patient>.nii.gz, ….',
  });
}

/** The suffix decides, and then the folder. */
function placeOf(stem: string, above: string): { readonly patient: string; readonly kind: Kind } | undefined {
  const [, patient, name] = suffix.exec(stem) ?? [];
  if (patient !== undefined) return { patient, kind: kindOfName.get(name!.toLowerCase())! };
  const kind = kindOfName.get(above.toLowerCase());
  return kind && { patient: stem, kind };
}

interface NiftiFile {
  readonly file: string;
  /** Name of the folder it lies in. */
  readonly above: string;
  /** Its name without .nii or .nii.gz. */
  readonly stem: string;
}

async function niftiFiles(root: string): Promise<readonly NiftiFile[]> {
  const files: NiftiFile[] = [];
  await visit(root, '', 0);
  return files;

  async function visit(folder: string, name: string, depth: number): Promise<void> {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      const [, stem] = /^(.+)\.nii(?:\.gz)?$/i.exec(entry.name) ?? [];
      if (entry.isDirectory()) {
        if (depth < MOST_DEPTH) await visit(path, entry.name, depth + 1);
      } else if (stem !== undefined) {
        files.push({ file: path, above: name, stem });
        if (files.length > MOST_FILES)
          throw badFile(root, `more than ${MOST_FILES} volumes.`, 'Give a smaller folder.');
      }
    }
  }
}

async function entriesOf(folder: string) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw badFile(folder, `cannot be read (${(error as Error).message}).`, 'Check --from.', error);
  }
}
