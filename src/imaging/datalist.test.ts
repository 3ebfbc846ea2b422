import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../errors';
import { caseName, checkDisjoint, type DatalistItem, loadDatalist } from './datalist';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datalist-'));
});
afterAll(() => rm(folder, { recursive: true }));

const image = ['a/t1ce.nii.gz', 'a/t1.nii.gz', 'a/t2.nii.gz', 'a/flair.nii.gz'];
const label = 'a/a_seg.nii.gz';
const baseDir = '/data';

async function load(content: unknown): Promise<DatalistItem[]> {
  const file = join(folder, 'site-1.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadDatalist(file, { list: 'training', baseDir });
}

describe('a datalist', () => {
  it('gives absolute paths below the data folder, in the order of the list', async () => {
    const items = await load({ testing: [], training: [{ image, label, fold: 0 }], modality: 'MRI' });
    expect(items).toEqual([{ image: image.map((path) => `/data/${path}`), label: '/data/a/a_seg.nii.gz' }]);
  });

  it('may start with a byte order mark', async () => {
    expect(await load(`\ufeff${JSON.stringify({ training: [{ image, label }] })}`)).toHaveLength(1);
  });

  it('takes a single image as a list of one when one is expected', async () => {
    const file = join(folder, 'one.json');
    await writeFile(file, JSON.stringify({ testing: [{ image: 'x.nii', label: 'y.nii' }] }));
    const items = await loadDatalist(file, { list: 'testing', baseDir, images: 1 });
    expect(items).toEqual([{ image: ['/data/x.nii'], label: '/data/y.nii' }]);
  });

  const refused: Record<string, [unknown, string]> = {
    'an empty file': ['', 'not valid JSON'],
    'no JSON': ['training: []', 'not valid JSON'],
    'a list at the top': [[], 'expected a JSON object of lists'],
    null: ['null', 'expected a JSON object of lists'],
    'no such key': [{ validation: [], 'tr@in': [] }, 'has no list "training"; its keys: validation, tr@in.'],
    'an inherited key': ['{"__proto__": {"training": []}}', 'has no list "training"'],
    'no list under the key': [{ training: {} }, '"training" is not a list'],
    'an empty list': [{ training: [] }, 'the list "training" is empty'],
    'an item that is no object': [{ training: [7] }, 'training[0]: '],
    'a missing label': [{ training: [{ image }] }, 'training[0].label: '],
    'a missing image': [{ training: [{ image, label }, { label }] }, 'training[1].image: '],
    'an image that is no text': [{ training: [{ image: [1], label }] }, 'training[0].image'],
    'three images': [{ training: [{ image: image.slice(1), label }] }, 'training[0].image names 3 files, expected 4'],
    'a path that leaves the data folder': [
      { training: [{ image: [...image.slice(1), 'a/../../b.nii'], label }] },
      'training[0].image[3] is "a/../../b.nii", expected a path inside the data folder /data',
    ],
    'an absolute path': [{ training: [{ image, label: '/data/a/seg.nii' }] }, 'training[0].label is "/data/a/seg.nii"'],
    'the data folder itself': [{ training: [{ image, label: '.' }] }, 'training[0].label is "."'],
    'a path with a zero byte': [{ training: [{ image, label: 'a\0b' }] }, 'training[0].label is "a\\u0000b"'],
  };

  it.each(Object.entries(refused))('is refused with %s', async (_, [content, message]) => {
    const error = await load(content).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toContain(message);
    expect((error as DataError).message).toContain('site-1.json');
    expect((error as DataError).hint).toBeTruthy();
  });

  it('is refused when it is missing or a folder', async () => {
    const options = { list: 'training', baseDir } as const;
    await expect(loadDatalist(join(folder, 'none.json'), options)).rejects.toThrow('there is no such datalist');
    await expect(loadDatalist(folder, options)).rejects.toThrow('the datalist cannot be read');
  });
});

describe('training and validation lists', () => {
  const item = (name: string): DatalistItem => ({ image: [`/d/${name}_t1.nii.gz`], label: `/d/${name}_seg.nii.gz` });

  it('must not share a case, be it by file or by name', () => {
    expect(() => checkDisjoint('site-1.json', [item('a'), item('b')], [item('c')])).not.toThrow();
    expect(() => checkDisjoint('site-1.json', [item('a'), item('b')], [item('b')])).toThrow(
      'site-1.json: the case b is in both',
    );
    const moved = { image: ['/elsewhere/b_t1.nii.gz'], label: '/elsewhere/b_seg.nii.gz' };
    expect(() => checkDisjoint('site-1.json', [item('b')], [moved])).toThrow('the case b is in both');
    const renamed = { image: item('b').image, label: '/d/other_seg.nii.gz' };
    expect(() => checkDisjoint('site-1.json', [item('b')], [renamed])).toThrow('the case other is in both');
  });

  it('name a case by its label file, or by its folder when that says nothing', () => {
    expect(caseName({ label: '/d/HGG/Brats18_X_1/Brats18_X_1_seg.nii.gz' })).toBe('Brats18_X_1');
    expect(caseName({ label: '/d/labelsTr/liver_7.nii' })).toBe('liver_7');
    expect(caseName({ label: '/d/patient-3/seg.nii.gz' })).toBe('patient-3');
  });
});
