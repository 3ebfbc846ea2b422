/**
 * Datalists: the JSON files of the Medical Segmentation Decathlon that say which images and labels a site has.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { badFile } from './data-error';

/** One case. */
export interface DatalistItem {
  /** Absolute paths of the modalities, in the order of the list. */
  readonly image: readonly string[];
  /** Absolute path of the label map. */
  readonly label: string;
}

export type DatalistKey = 'training' | 'validation' | 'testing';

export interface DatalistOptions {
  readonly list: DatalistKey;
  /** The folder that the paths in the list are relative to; none may lead out of it. */
  readonly baseDir: string;
  /** Images of a case: T1ce, T1, T2, FLAIR for BraTS. @default 4 */
  readonly images?: number;
}

const itemSchema = z.object({ image: z.array(z.string().min(1)).or(z.string().min(1)), label: z.string().min(1) });

const EXAMPLE =
  'Expected: {"training": [{"image": ["t1ce.nii.gz", "t1.nii.gz", "t2.nii.gz", "flair.nii.gz"], "label": "seg.nii.gz"}], "validation": […]}.';

/**
 * The cases of one list of a datalist. Keys other than the list's, and fields other than image and label, are ignored.
 * Stricter than the original on purpose: a path that leaves the data folder is refused, and so is an empty list.
 *
 * @throws DataError when the file is missing, no JSON, lacks the list, the list is empty, or an item is not usable.
 */
export async function loadDatalist(file: string, options: DatalistOptions): Promise<DatalistItem[]> {
  const { list } = options;
  const content = parseJson(await readText(file), file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw badFile(file, 'expected a JSON object of lists.', EXAMPLE);
  }
  const items: unknown = Object.hasOwn(content, list) ? (content as Record<string, unknown>)[list] : undefined;
  if (items === undefined) {
    const keys = Object.keys(content).slice(0, 10).join(', ') || 'none';
    throw badFile(file, `has no list "${list}"; its keys: ${keys}.`, EXAMPLE);
  }
  if (!Array.isArray(items)) throw badFile(file, `"${list}" is not a list.`, EXAMPLE);
  if (items.length === 0) {
    throw badFile(
      file,
      `the list "${list}" is empty, expected at least one case.`,
      'Add cases, or leave the site out.',
    );
  }
  return items.map((item, index) => resolveItem(item, `${list}[${index}]`, { ...options, file }));
}

/**
 * Refuses a case that is in two lists: its score would not measure what the model learnt. Cases are the same when they share a
 * file, or when their labels have the same case name.
 *
 * @param file the datalist, for the message.
 * @throws DataError naming the case.
 */
export function checkDisjoint(
  file: string,
  training: readonly DatalistItem[],
  validation: readonly DatalistItem[],
): void {
  const trained = new Set(training.flatMap(identitiesOf));
  for (const item of validation) {
    if (!identitiesOf(item).some((identity) => trained.has(identity))) continue;
    const problem = `the case ${caseName(item)} is in both "training" and "validation".`;
    throw badFile(
      file,
      problem,
      'Take it out of one of the lists: a score on training cases says nothing about new patients.',
    );
  }
}

/** The name of a case: that of its label file without `_seg` and extension, else that of the folder it lies in. */
export function caseName({ label }: Pick<DatalistItem, 'label'>): string {
  const [folder = '', name = ''] = label.split(/[\\/]/).slice(-2);
  const stem = name.replace(/\.nii(\.gz)?$/i, '').replace(/_?(seg|label|mask)$/i, '');
  return stem === '' ? folder : stem;
}

function identitiesOf(item: DatalistItem): string[] {
  return [...item.image, item.label, caseName(item)];
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = reason.includes('ENOENT')
      ? 'there is no such datalist.'
      : `the datalist cannot be read (${reason}).`;
    throw badFile(file, problem, 'Check --datalist_json_path: a folder with <site>.json files.', error);
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badFile(file, `not valid JSON (${reason}).`, EXAMPLE, error);
  }
}

function resolveItem(item: unknown, where: string, options: DatalistOptions & { readonly file: string }): DatalistItem {
  const { file, images = 4 } = options;
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const field = [where, ...issue.path].join('.');
    throw badFile(file, `${field}: ${issue.message}.`, EXAMPLE);
  }
  const { image, label } = parsed.data;
  const paths = typeof image === 'string' ? [image] : image;
  if (paths.length !== images) {
    throw badFile(file, `${where}.image names ${paths.length} files, expected ${images}.`, EXAMPLE);
  }
  return {
    image: paths.map((path, i) => resolveInside(path, `${where}.image[${i}]`, options)),
    label: resolveInside(label, `${where}.label`, options),
  };
}

function resolveInside(path: string, where: string, { file, baseDir }: { file: string; baseDir: string }): string {
  const base = resolve(baseDir);
  const full = resolve(base, path);
  const inside = relative(base, full);
  const leaves = inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  if (isAbsolute(path) || leaves || path.includes('\0')) {
    const problem = `${where} is ${JSON.stringify(path)}, expected a path inside the data folder ${base}.`;
    throw badFile(
      file,
      problem,
      'Write paths relative to --dataset_base_dir, without leading "/" and without leaving it by "..".',
    );
  }
  return full;
}
