/**
 * Comma-separated values as RFC 4180 has them, row by row: a table of any length takes the memory of one row.
 *
 * @module
 */
import { DataError } from '../errors';

export interface CsvRow {
  /** Line of the file that the row begins on, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

export interface CsvOptions {
  /** One character. */
  readonly delimiter: string;
  /** Names the text in messages. */
  readonly file: string;
}

/** @returns an error about a line of a table. */
export function badLine(file: string, line: number, problem: string, hint: string): DataError {
  return new DataError(`${file}, line ${line}: ${problem}.`, { file, hint });
}

/** Longest field and widest row; a file that is no table reaches one of them soon. */
const longestField = 2 ** 16;
const mostFields = 10_000;

const quote = '"';

/**
 * The rows of a text that comes in pieces. Fields may stand in double quotes, with doubled quotes, delimiters and line ends
 * inside; a row ends at LF, CR LF or the end of the text. Empty lines are rows of one empty field.
 *
 * @throws DataError naming the line: a quote that is not closed, text behind a closing one, a lone CR, a field or a row that is
 *   too long to be one.
 */
export async function* csvRows(pieces: AsyncIterable<string>, options: CsvOptions): AsyncGenerator<CsvRow> {
  const reader = rowReader(options);
  for await (const piece of pieces) yield* reader.read(piece);
  yield* reader.end();
}

function rowReader({ delimiter, file }: CsvOptions) {
  let fields: string[] = [];
  let field = '';
  let state: 'plain' | 'quoted' | 'closed' | 'carriage-return' = 'plain';
  let line = 1;
  let begin = 1;
  let empty = true;
  return { read, end };

  function* read(piece: string): Generator<CsvRow> {
    for (const character of piece) {
      empty = false;
      if (state === 'quoted') readQuoted(character);
      else if (character === '\n') yield endRow();
      else if (character === delimiter && state !== 'carriage-return') endField();
      else readPlain(character);
    }
  }

  function readQuoted(character: string): void {
    if (character === quote) state = 'closed';
    else append(character);
    if (character === '\n') line += 1;
  }

  function readPlain(character: string): void {
    if (state === 'carriage-return') throw bad(line, 'a carriage return stands without a line feed');
    if (character === '\r') state = 'carriage-return';
    else if (character === quote && state === 'closed') {
      state = 'quoted';
      append(quote);
    } else if (state === 'closed') throw bad(line, 'there is text behind the closing quote of a field');
    else if (character === quote && field === '') state = 'quoted';
    else append(character);
  }

  function append(character: string): void {
    field += character;
    if (field.length > longestField) throw bad(begin, `a field is longer than ${longestField} characters`);
  }

  function endField(): void {
    fields.push(field);
    field = '';
    state = 'plain';
    if (fields.length > mostFields) throw bad(begin, `a row has more than ${mostFields} fields`);
  }

  function endRow(): CsvRow {
    endField();
    const row = { line: begin, fields };
    fields = [];
    line += 1;
    begin = line;
    empty = true;
    return row;
  }

  function* end(): Generator<CsvRow> {
    if (state === 'quoted') throw bad(begin, 'a quoted field has no closing quote');
    if (!empty) yield endRow();
  }

  function bad(at: number, problem: string): DataError {
    return badLine(file, at, problem, 'Export the table again as comma-separated values (RFC 4180).');
  }
}
