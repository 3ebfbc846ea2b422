/**
 * A site's volumes as slices in the folders that `layout.ts` describes.
 *
 * @module
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, DataError, isConsiliumError } from '../../errors';
import { codeOf, workspaceError } from '../../util/atomic-file';
import { makeFolder } from '../../util/make-folder';
import { encodeNpy } from '../npy/write-npy';
import { type CutOptions, type CutPatient, cutPatient } from './cut-patient';
import { findVolumes, type PatientVolumes } from './find-volumes';
import { contrasts as allContrasts, type Contrast, type SliceSplit, splits } from './layout';
import { sliceFileName } from './slice-name';
import { splitPatients } from './split-patients';

export interface WriteSlicesOptions extends Pick<CutOptions, 'mostDark'> {
  /** Folder of NIfTI files. */
  readonly from: string;
  /** Folder to write; it must not exist, or be empty. */
  readonly out: string;
  /** T1 is written in any case. @default those that any patient has */
  readonly contrasts?: readonly Contrast[];
  /** Masks of tumours. @default where there are any */
  readonly masks?: boolean;
  /** Only the first so many patients. @default all */
  readonly patients?: number;
  /** Told of each patient that is done. */
  readonly onPatient?: (done: number, of: number, patient: string) => void;
}

export interface WrittenSlices {
  readonly contrasts: readonly Contrast[];
  readonly masks: boolean;
  readonly splits: Readonly<Record<SliceSplit, { readonly patients: number; readonly slices: number }>>;
}

/**
 * Cuts the volumes of all patients into axial slices, splits them by patient, 75 % train, 10 % validation, the rest test, in the order
 * of their names, and writes them as .npy, as a whole or not at all.
 *
 * @throws ConfigError for a folder with other content; DataError naming what is wrong with the volumes; WorkspaceError from the disk.
 */
export async function writeSlices(options: WriteSlicesOptions): Promise<WrittenSlices> {
  const { from, out, mostDark } = options;
  await checkFree(out);
  const found = (await findVolumes(from)).slice(0, options.patients);
  const contrasts = allContrasts.filter(
    (one) => one === 't1' || (options.contrasts?.includes(one) ?? found.some((patient) => patient.contrasts[one])),
  );
  const masks = options.masks ?? found.some(({ mask }) => mask !== undefined);
  checkComplete(found, contrasts, masks);
  const split = splitPatients(found);
  const counts = {
    train: { patients: split.train.length, slices: 0 },
    validation: { patients: split.validation.length, slices: 0 },
    test: { patients: split.test.length, slices: 0 },
  };
  const draft = `${out}.${process.pid}.tmp`;
  try {
    await makeFolder(draft);
    let done = 0;
    for (const name of splits) {
      for (const volumes of split[name]) {
        const one = masks ? volumes : { ...volumes, mask: undefined };
        const cut = await cutPatient(one, { contrasts, mostDark });
        await writePatient(join(draft, name), one, { cut, kinds: masks ? [...contrasts, 'mask'] : contrasts });
        counts[name].slices += cut.kept.length;
        options.onPatient?.(++done, found.length, one.patient);
      }
    }
    await rename(draft, out);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw isConsiliumError(error) ? error : workspaceError('write slices into', out, error);
  }
  return { contrasts, masks, splits: counts };
}

/** @throws ConfigError when there is something in the folder. */
async function checkFree(out: string): Promise<void> {
  const entries = await readdir(out).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw workspaceError('look into', out, error);
  });
  if (entries.length === 0) return;
  throw new ConfigError(`${out} already holds files; nothing was written.`, {
    hint: 'Choose another folder for --out, or remove this one if you no longer need it.',
  });
}

/** @throws DataError naming patients that lack what others have. */
function checkComplete(found: readonly PatientVolumes[], contrasts: readonly Contrast[], masks: boolean): void {
  for (const kind of [...contrasts, ...(masks ? (['mask'] as const) : [])]) {
    const lacking = found.filter((one) => (kind === 'mask' ? one.mask : one.contrasts[kind]) === undefined);
    if (lacking.length === 0) continue;
    const some = lacking.slice(0, 3).map(({ patient }) => patient);
    const rest = lacking.length > 3 ? ` and ${lacking.length - 3} more` : '';
    const way = kind === 'mask' ? '--no-masks leaves all masks out' : '--contrasts says which are wanted';
    const hint =
      kind === 't1' ? 'T1 says which slices are kept, so every patient needs one.' : `Move them away, or: ${way}.`;
    throw new DataError(`${lacking.length} of ${found.length} patients have no ${kind}: ${some.join(', ')}${rest}.`, {
      hint,
    });
  }
}

async function writePatient(
  folder: string,
  { patient }: PatientVolumes,
  { cut, kinds }: { readonly cut: CutPatient; readonly kinds: readonly (Contrast | 'mask')[] },
): Promise<void> {
  for (const kind of kinds) {
    await mkdir(join(folder, kind), { recursive: true });
    for (const index of cut.kept) {
      const bytes = encodeNpy(cut.slice(kind, index), cut.shape);
      await writeFile(join(folder, kind, sliceFileName({ patient, index })), bytes);
    }
  }
}
