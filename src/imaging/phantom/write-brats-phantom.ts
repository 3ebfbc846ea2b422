/**
 * A synthetic data set in the folder layout of BraTS 2018, for a first run without any download.
 *
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../../errors';
import { makeFolder } from '../../util/make-folder';
import { deriveSeed } from '../../util/streams';
import type { Affine } from '../affine';
import { compress, encodeNifti } from '../nifti/write-nifti';
import type { Size3 } from '../volume';
import { type DrawnCase, drawCase } from './draw-case';
import { type PhantomCase, planCases } from './plan-cases';
import { MODALITIES } from './scanner';
import { writeOnce } from './write-once';

export interface BratsPhantomOptions {
  /** Folder to write; it must not exist, be empty, or hold the same phantom already. */
  readonly out: string;
  /** Sites with a scanner and a mix of tumours each. @default 4 */
  readonly sites?: number;
  /** Training cases of each site. @default 6 */
  readonly casesPerSite?: number;
  /** Validation cases that all sites share. @default 4 */
  readonly validationCases?: number;
  /** Extents in voxels of 1 mm, each at least 32. @default [64, 64, 48] */
  readonly shape?: Size3;
  /** @default 0 */
  readonly seed?: number;
}

export interface PhantomFolders {
  /** What the paths of the datalists are relative to. */
  readonly baseDir: string;
  /** Holds site-1.json … and site-All.json. */
  readonly datalistDir: string;
  /** Whether the folder held this very phantom before. */
  readonly reused: boolean;
}

/** Goes up when the same options give other images. */
const VERSION = 1;

const LEAST_EXTENT = 32;
const MOST_EXTENT = 512;

/**
 * Writes the phantom, as a whole or not at all: four modalities and a label map per case as .nii.gz, and the datalists.
 * The same options give the same bytes. A folder that holds the same phantom is reused.
 *
 * @throws ConfigError for options out of range and for a folder with other content; WorkspaceError from the disk.
 */
export async function writeBratsPhantom(options: BratsPhantomOptions): Promise<PhantomFolders> {
  const { out, sites = 4, casesPerSite = 6, validationCases = 4, shape = [64, 64, 48], seed = 0 } = options;
  checkOptions({ sites, casesPerSite, validationCases, seed }, shape);
  const cases = planCases({ sites, casesPerSite, validationCases });
  const manifest = manifestOf(
    { kind: 'brats18', version: VERSION, seed, shape, sites, casesPerSite, validationCases },
    cases,
  );
  const folders = { baseDir: out, datalistDir: join(out, 'datalist') };
  const reused = await writeOnce(out, manifest, async (draft) => {
    await makeFolder(join(draft, 'datalist'));
    await writeCases(draft, cases, { shape, seed });
    await writeDatalists(join(draft, 'datalist'), cases, sites);
  });
  return { ...folders, reused };
}

function checkOptions(counts: Readonly<Record<string, number>>, shape: Size3): void {
  for (const [name, value] of Object.entries(counts)) {
    const least = name === 'seed' ? 0 : 1;
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new ConfigError(`The phantom's ${name} is ${value}, expected a whole number of at least ${least}.`);
  }
  if (shape.length === 3 && shape.every((n) => Number.isSafeInteger(n) && n >= LEAST_EXTENT && n <= MOST_EXTENT))
    return;
  throw new ConfigError(
    `The phantom's shape is ${shape.join(' ')}, expected three extents from ${LEAST_EXTENT} to ${MOST_EXTENT}.`,
  );
}

/** Options and cases as JSON: equal for equal phantoms. */
function manifestOf(options: object, cases: readonly PhantomCase[]): string {
  return `${JSON.stringify({ ...options, cases }, undefined, 1)}\n`;
}

/** Draws one case after the other while the one before is compressed and written. */
async function writeCases(
  folder: string,
  cases: readonly PhantomCase[],
  { shape, seed }: { readonly shape: Size3; readonly seed: number },
): Promise<void> {
  let written: Promise<unknown> = Promise.resolve();
  for (const one of cases) {
    const drawn = drawCase({ ...one, size: shape, seed: deriveSeed(seed, 'brats18-phantom', one.name) });
    await written;
    written = writeCase(join(folder, one.folder), one.name, { drawn, shape });
  }
  await written;
}

async function writeCase(
  folder: string,
  name: string,
  { drawn, shape }: { readonly drawn: DrawnCase; readonly shape: Size3 },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const affine = bratsAffine(shape);
  const write = async (suffix: string, data: Int16Array | Uint8Array): Promise<void> => {
    const file = join(folder, `${name}_${suffix}.nii.gz`);
    const dtype = data instanceof Uint8Array ? 'uint8' : 'int16';
    await writeFile(file, await compress(encodeNifti({ data, shape, affine }, { dtype, file })));
  };
  const images = MODALITIES.map((modality) => write(modality, drawn.images[modality]));
  await Promise.all([...images, write('seg', drawn.labels)]);
}

/** The geometry of BraTS: 1 mm voxels, x to the left and y to posterior. */
function bratsAffine([, ny]: Size3): Affine {
  return [
    [-1, 0, 0, 0],
    [0, -1, 0, ny - 1],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ];
}

async function writeDatalists(folder: string, cases: readonly PhantomCase[], sites: number): Promise<void> {
  const itemsOf = (site: number) => cases.filter((one) => one.site === site).map(itemOf);
  const all = Array.from({ length: sites }, (_, i) => itemsOf(i + 1));
  const lists = new Map(all.map((items, i) => [`site-${i + 1}`, items]));
  for (const [name, training] of [...lists, ['site-All', all.flat()] as const]) {
    const datalist = { testing: [], training, validation: itemsOf(0) };
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(datalist, undefined, 1)}\n`);
  }
}

function itemOf({ folder, name }: PhantomCase): { image: string[]; label: string } {
  const file = (suffix: string): string => `${folder}/${name}_${suffix}.nii.gz`;
  return { image: MODALITIES.map(file), label: file('seg') };
}
