import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isConsiliumError } from '../../errors';
import { type CsvFeaturesOptions, csvFeatures } from './csv-features';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Over = Partial<Omit<CsvFeaturesOptions, 'file'>>;

async function read(content: string | Uint8Array, over: Over = {}): Promise<Record<string, number[]>> {
  const file = join(folder, 'table.csv');
  await writeFile(file, content);
  return readFile(file, over);
}

async function readFile(file: string, over: Over = {}): Promise<Record<string, number[]>> {
  const missing = ['', 'NA'];
  const source = csvFeatures({ file, columns: ['age', 'crp'], delimiter: ',', decimal: '.', missing, ...over });
  const found: Record<string, number[]> = {};
  for await (const { feature, values } of source.features()) {
    found[feature] = [...(found[feature] ?? []), ...Array.from(values)];
  }
  return found;
}

describe('the columns of a table', () => {
  it('are numbers, and NaN where a value is missing; other columns are not looked at', async () => {
    const table = 'id,age,sex,crp\nx1,61,f,4.5\nx2, 58 ,m,NA\nx3,,"m, then f",1e-1\n\n';
    expect(await read(table)).toEqual({ age: [61, 58, Number.NaN], crp: [4.5, Number.NaN, 0.1] });
  });

  it('may have a byte order mark, semicolons and decimal commas', async () => {
    const over = { delimiter: ';', decimal: ',' } as const;
    expect(await read('\ufeffage;crp\n61;4,5\n', over)).toEqual({ age: [61], crp: [4.5] });
  });

  it('come whole from a table of any length', async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `${i},${-i / 8}`);
    const { age, crp } = await read(`age,crp\n${rows.join('\n')}`);
    expect(age).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
    expect(crp!.at(-1)).toBe(-9999 / 8);
  });

  it('can be read again', async () => {
    const file = join(folder, 'again.csv');
    await writeFile(file, 'age\n1\n');
    expect(await readFile(file, { columns: ['age'] })).toEqual(await readFile(file, { columns: ['age'] }));
  });
});

describe('a table that cannot be used is refused, naming line and column', () => {
  it.each([
    ['a text', 'age,crp\n61,4\n58,high\n', {}, /line 3: column 'crp' holds 'high', which is no number/],
    ['infinity', 'age,crp\n61,1e999\n', {}, /line 2: column 'crp' holds '1e999'/],
    ['a decimal point among decimal commas', 'age;crp\n1;1.5', { delimiter: ';', decimal: ',' }, /line 2.*'1\.5'/],
    ['a row that is too short', 'age,crp\n61\n', {}, /line 2: the row has 1 fields, but the header has 2/],
    ['no such column', 'Age,hb\n61,4\n', {}, /line 1: there is no column 'age'/],
    ['a column twice', 'age,crp,age\n1,2,3\n', {}, /line 1: two columns are named 'age'/],
    ['nothing at all', '', {}, /line 1: the file is empty/],
    ['bytes that are no text', Uint8Array.of(97, 103, 101, 10, 0xff, 0xfe), {}, /line 1: from here on it is no UTF-8/],
  ] as const)('%s', async (_, content, over, message) => {
    await expect(read(content, over)).rejects.toThrow(message);
    await expect(read(content, over)).rejects.toSatisfy((error) => isConsiliumError(error, 'DataError'));
  });

  it('with the name that was probably meant, or the delimiter', async () => {
    const hintOf = async (content: string) => (await read(content).catch((error) => error)).hint;
    expect(await hintOf('Age,crp\n1,2')).toBe("Did you mean 'Age'?");
    expect(await hintOf('patient;value\n1;2')).toMatch(/Set data\.delimiter/);
  });

  it('when it is missing, or no file', async () => {
    await expect(readFile(join(folder, 'none.csv'))).rejects.toThrow(/none\.csv: it does not exist/);
    await expect(readFile(folder)).rejects.toThrow(/it is no regular file/);
  });
});
