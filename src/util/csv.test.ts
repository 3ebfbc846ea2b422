import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvRow, csvRows } from './csv';

async function rowsOf(text: string, delimiter = ',', pieceLength = text.length || 1): Promise<CsvRow[]> {
  async function* pieces(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += pieceLength) yield text.slice(at, at + pieceLength);
  }
  const rows: CsvRow[] = [];
  for await (const row of csvRows(pieces(), { delimiter, file: 't.csv' })) rows.push(row);
  return rows;
}

async function fieldsOf(...given: Parameters<typeof rowsOf>): Promise<(readonly string[])[]> {
  return (await rowsOf(...given)).map(({ fields }) => fields);
}

describe('comma-separated values', () => {
  it.each([
    [
      'plain',
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'without a last line end',
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'with CR LF',
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'with empty fields',
      ',\n,x\n',
      [
        ['', ''],
        ['', 'x'],
      ],
    ],
    ['with an empty line', 'a\n\nb', [['a'], [''], ['b']]],
    ['quoted', '"a,b","c\nd","e""f",""\r\n', [['a,b', 'c\nd', 'e"f', '']]],
    ['with a quote inside a field', '5",6', [['5"', '6']]],
    ['empty', '', []],
  ])('%s', async (_, text, rows) => {
    expect(await fieldsOf(text)).toEqual(rows);
  });

  it('with another delimiter', async () => {
    expect(await fieldsOf('a;b\n1,5;2', ';')).toEqual([
      ['a', 'b'],
      ['1,5', '2'],
    ]);
  });

  it('gives each row the line that it begins on', async () => {
    expect((await rowsOf('a\n"x\ny"\nz')).map(({ line }) => line)).toEqual([1, 2, 4]);
  });

  it('gives back any table that was written by the rules, in pieces of any length', async () => {
    const field = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r', 'é', '😀', ' '), maxLength: 6 });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 9 }), async (rows, pieceLength) => {
        const text = rows.map((row) => `${row.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')}\r\n`).join('');
        // A surrogate pair that two pieces share is what a decoder never gives.
        const whole = [...text].every((character) => character.length === 1) ? pieceLength : text.length;
        expect(await fieldsOf(text, ',', Math.max(1, whole))).toEqual(rows);
      }),
      { seed: 3 },
    );
  });
});

describe('what is no such table is refused with its line', () => {
  it.each([
    ['a quote that is not closed', 'a\n"b\nc', /^t\.csv, line 2: a quoted field has no closing quote/],
    ['text behind a closing quote', 'a\n"b"c\n', /line 2: there is text behind the closing quote/],
    ['a lone carriage return', 'a\n1\r2\n', /line 2: a carriage return stands without a line feed/],
    ['a field without end', `a\n${'x'.repeat(70_000)}`, /line 2: a field is longer than/],
    ['a row without end', ','.repeat(20_000), /line 1: a row has more than/],
  ])('%s', async (_, text, message) => {
    await expect(rowsOf(text)).rejects.toThrow(message);
  });
});
