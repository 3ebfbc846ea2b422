/**
 * A synthetic data set for translation between contrasts, in the folders that `slices/layout.ts` describes.
 *
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, InternalError } from '../../../errors';
import { deriveSeed } from '../../../util/streams';
import { encodeNpy } from '../../npy/write-npy';
import { axialSlice, keptSlices, MOST_DARK } from '../../slices/kept-slices';
import { type SliceSplit, splits } from '../../slices/layout';
import { sliceFileName } from '../../slices/slice-name';
import { splitPatients } from '../../slices/split-patients';
import type { Size3 } from '../../volume';
import { writeOnce } from '../write-once';
import { type DrawnPatient, drawPatient } from './draw-patient';
import { phantomSite } from './sites';

export interface MultiContrastPhantomOptions {
  /** Folder to write; it must not exist, be empty, or hold the same phantom already. */
  readonly out: string;
  readonly sites: number;
  /** By patient, 75 % train, 10 % validation, 15 % test; at least 3. */
  readonly patientsPerSite: number;
  /** Extents of a head in voxels; the last is along the body. The first two are at least 32, the last at least 8. */
  readonly shape: Size3;
  readonly seed: number;
}

/** Goes up when the same options give other images. */
const VERSION = 1;

const LEAST_EXTENTS = [32, 32, 8] as const;
const MOST_EXTENT = 512;

interface PlannedPatient {
  readonly id: string;
  /** From 0. */
  readonly site: number;
  /** Place in the site's list, from 0. */
  readonly number: number;
  readonly split: SliceSplit;
}

/**
 * Writes T1, T2 and, where the site takes it, FLAIR of every patient, with masks of the tumours at sites that have them, as a whole
 * or not at all. The same options give the same bytes. A folder that holds the same phantom is reused.
 *
 * @returns whether it was.
 * @throws ConfigError for options out of range and for a folder with other content; WorkspaceError from the disk.
 */
export async function writeMultiContrastPhantom(options: MultiContrastPhantomOptions): Promise<boolean> {
  const { out, sites, patientsPerSite, shape, seed } = options;
  checkOptions(options);
  const patients = Array.from({ length: sites }, (_, site) => planSite(site, patientsPerSite)).flat();
  const content = { kind: 'multi-contrast', synthetic: true, version: VERSION, seed, shape, sites, patientsPerSite };
  const manifest = `${JSON.stringify({ ...content, patients }, undefined, 1)}\n`;
  return writeOnce(out, manifest, async (draft) => {
    // One patient is drawn while the one before is written.
    let written: Promise<unknown> = Promise.resolve();
    for (const patient of patients) {
      const own = deriveSeed(seed, 'multi-contrast-phantom', patient.id);
      const drawn = drawPatient(phantomSite(patient.site), { size: shape, patient: patient.number, seed: own });
      await written;
      written = writePatient(join(draft, siteName(patient.site), patient.split), patient.id, drawn, shape);
    }
    await written;
  });
}

/** Name of the i-th site and of its folder, from 0. */
function siteName(i: number): string {
  return `site-${i + 1}`;
}

function checkOptions({ sites, patientsPerSite, seed, shape }: MultiContrastPhantomOptions): void {
  for (const [name, value, least] of [
    ['sites', sites, 1],
    ['patientsPerSite', patientsPerSite, 3],
    ['seed', seed, 0],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new ConfigError(`The phantom's ${name} is ${value}, expected a whole number of at least ${least}.`);
  }
  const fits = (n: number, axis: number) => Number.isSafeInteger(n) && n >= LEAST_EXTENTS[axis]! && n <= MOST_EXTENT;
  if (shape.length === 3 && shape.every(fits)) return;
  throw new ConfigError(
    `The phantom's shape is ${shape.join(' ')}, expected three extents from ${LEAST_EXTENTS.join(' ')} to ${MOST_EXTENT}.`,
  );
}

function planSite(site: number, count: number): PlannedPatient[] {
  const pad = (value: number, digits: number) => String(value).padStart(digits, '0');
  const numbers = splitPatients(Array.from({ length: count }, (_, i) => i));
  return splits.flatMap((split) =>
    numbers[split].map((number) => ({
      id: `PHANTOM${pad(site + 1, 2)}_${pad(number + 1, 3)}`,
      site,
      number,
      split,
    })),
  );
}

async function writePatient(folder: string, id: string, { images, mask }: DrawnPatient, size: Size3): Promise<void> {
  const t1 = images.get('t1');
  if (!t1) throw new InternalError('Every site of the phantom takes T1.');
  const kept = keptSlices(t1, size, MOST_DARK);
  const volumes = [...images, ...(mask ? [['mask', mask] as const] : [])];
  await Promise.all(
    volumes.map(async ([contrast, volume]) => {
      await mkdir(join(folder, contrast), { recursive: true });
      for (const index of kept) {
        const slice = encodeNpy(axialSlice(volume, size, index), [size[0], size[1]]);
        await writeFile(join(folder, contrast, sliceFileName({ patient: id, index })), slice);
      }
    }),
  );
}
