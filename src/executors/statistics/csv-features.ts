/**
 * Numeric columns of a table as features: one row, one case.
 *
 * @module
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DataError, isConsiliumError } from '../../errors';
import type { FeatureSource, FeatureValues } from '../../statistics/feature-source';
import { badLine, type CsvRow, csvRows } from '../../util/csv';
import { nearest } from '../../util/nearest';

export interface CsvFeaturesOptions {
  readonly file: string;
  /** The columns that are features. */
  readonly columns: readonly string[];
  /** One character. */
  readonly delimiter: string;
  readonly decimal: '.' | ',';
  /** Texts that stand for a missing value; spaces around a field do not count. */
  readonly missing: readonly string[];
}

/** Rows whose values are handed on at once. */
const batchRows = 4096;

/**
 * The columns of a table with a header row.
 *
 * @returns a source that throws DataError naming line and column: no such file or column, a row of another length, a text
 *   where a number has to be. The messages hold values of the table, so they stay at the site.
 */
export function csvFeatures(options: CsvFeaturesOptions): FeatureSource {
  return { features: () => readColumns(options) };
}

async function* readColumns(options: CsvFeaturesOptions): AsyncGenerator<FeatureValues> {
  const { file, columns, delimiter } = options;
  const handle = await openTable(file);
  try {
    const rows = csvRows(decoded(handle, file), { delimiter, file });
    const header = (await rows.next()).value as CsvRow | undefined;
    if (!header) throw badLine(file, 1, 'the file is empty', 'It needs a header row and rows of values.');
    const places = placesOf(columns, header, options);
    let batch: number[][] = columns.map(() => []);
    for await (const row of rows) {
      if (isBlank(row, header)) continue;
      checkLength(row, header, file);
      for (const [i, place] of places.entries()) batch[i]!.push(numberAt(row, place, columns[i]!, options));
      if (batch[0]!.length < batchRows) continue;
      yield* valuesOf(batch, columns);
      batch = columns.map(() => []);
    }
    yield* valuesOf(batch, columns);
  } finally {
    await handle.close();
  }
}

function valuesOf(batch: readonly number[][], columns: readonly string[]): FeatureValues[] {
  return columns.map((feature, i) => ({ feature, values: batch[i]! }));
}

async function openTable(file: string): Promise<FileHandle> {
  let handle: FileHandle | undefined;
  try {
    // Without it, opening a pipe that nobody writes to would never end.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if ((await handle.stat()).isFile()) return handle;
    throw new DataError(`${file}: it is no regular file, expected a table.`, { file, hint: 'Correct data.path.' });
  } catch (cause) {
    await handle?.close();
    if (isConsiliumError(cause)) throw cause;
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it does not exist' : (cause as Error).message;
    throw new DataError(`${file}: ${why}.`, {
      file,
      cause,
      hint: "data.path starts from the job's folder, and {site} in it stands for the site's name.",
    });
  }
}

/** The text of the file in pieces. @throws DataError for bytes that are no UTF-8. */
async function* decoded(handle: FileHandle, file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const stream = handle.createReadStream({ autoClose: false, highWaterMark: 2 ** 18 });
  let line = 1;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield decode(() => decoder.decode(chunk, { stream: true }));
    for (const byte of chunk) if (byte === 10) line += 1;
  }
  yield decode(() => decoder.decode());

  function decode(read: () => string): string {
    try {
      return read();
    } catch {
      throw badLine(file, line, 'from here on it is no UTF-8 text', 'Export the table again in UTF-8.');
    }
  }
}

function placesOf(columns: readonly string[], header: CsvRow, { file, delimiter }: CsvFeaturesOptions): number[] {
  const names = header.fields.map((name) => name.trim());
  return columns.map((column) => {
    const place = names.indexOf(column);
    if (place < 0) {
      const near = nearest(column, names);
      const hint = near === undefined ? `Its columns are ${names.slice(0, 12).join(', ')}.` : `Did you mean '${near}'?`;
      const single = names.length === 1 && delimiter === ',' ? " Set data.delimiter if it is not ','." : '';
      throw badLine(file, header.line, `there is no column '${column}'`, hint + single);
    }
    if (names.indexOf(column, place + 1) < 0) return place;
    throw badLine(file, header.line, `two columns are named '${column}'`, 'Rename one of them.');
  });
}

/** An empty line, at the end of the file say, is no row; in a table of one column it is a missing value. */
function isBlank({ fields }: CsvRow, header: CsvRow): boolean {
  return fields.length === 1 && fields[0]!.trim() === '' && header.fields.length > 1;
}

function checkLength({ line, fields }: CsvRow, header: CsvRow, file: string): void {
  if (fields.length === header.fields.length) return;
  const what = `the row has ${fields.length} fields, but the header has ${header.fields.length}`;
  throw badLine(file, line, what, 'Put fields that hold the delimiter in double quotes.');
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function numberAt(row: CsvRow, place: number, column: string, options: CsvFeaturesOptions): number {
  const { file, decimal, missing } = options;
  const text = row.fields[place]!.trim();
  if (missing.includes(text)) return Number.NaN;
  const value = decimal === ',' ? text.replace(',', '.') : text;
  const isNumber = number.test(value) && !(decimal === ',' && text.includes('.'));
  if (isNumber && Number.isFinite(Number(value))) return Number(value);
  throw badLine(
    file,
    row.line,
    `column '${column}' holds '${text.slice(0, 40)}', which is no number`,
    'Add the text to data.missing if it stands for a missing value, or take the column off data.columns.',
  );
}
