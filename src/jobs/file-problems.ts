/**
 * What is wrong with a text file that people write (a job, a project, a policy), with the place in the file.
 *
 * @module
 */
import { ConfigError } from '../errors';
import { type FieldProblem, mostProblems } from './job-problems';
import type { Path, YamlDocument } from './yaml-document';
import type { TextProblem } from './yaml-guard';

/** Lines and columns count from 1. */
export interface FileProblem {
  readonly line: number | undefined;
  readonly column: number | undefined;
  /** Of the field, with dots; empty when the text itself is wrong. */
  readonly path: string;
  readonly message: string;
}

/** Problems beyond this are only counted. */
const mostListed = 20;

/** The problems of a file as one error. @param what is no valid one: 'job' */
export function fileError(
  problems: readonly FileProblem[],
  { source, what, hint }: { readonly source: string; readonly what: string; readonly hint: string },
): ConfigError {
  const lines = problems.slice(0, mostListed).map((problem) => `  ${fileProblemLine(problem, source)}`);
  if (problems.length > mostListed) {
    const rest = `${problems.length - mostListed}${problems.length < mostProblems ? '' : ' or more'}`;
    lines.push(`  and ${rest} others`);
  }
  const count = problems.length === 1 ? '' : `, ${problems.length} problems`;
  return new ConfigError(`${source} is not a valid ${what}${count}:\n${lines.join('\n')}`, { hint });
}

/** `<file>:<line>:<column>: <path>: <what is wrong>`, as editors and terminals recognise it. */
export function fileProblemLine({ line, column, path, message }: FileProblem, source: string): string {
  const place = line === undefined ? source : `${source}:${line}:${column}`;
  return `${place}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** Problems of fields with the places of those fields in the document. */
export function placedFields(document: YamlDocument, problems: readonly FieldProblem[]): readonly FileProblem[] {
  const found = problems.map((problem) => ({ ...problem, offset: offsetOf(document, problem) }));
  return placed(document.text, found);
}

/** The start of the value or the key; of the nearest mapping around it when the field is missing. */
function offsetOf(document: YamlDocument, { path, ofKey }: FieldProblem): number {
  const place = document.placeOf(path);
  if (place) return ofKey ? (place.key ?? place.value) : place.value;
  for (let length = path.length - 1; length >= 0; length--) {
    const around = document.placeOf(path.slice(0, length));
    if (around) return around.key ?? around.value;
  }
  return 0;
}

/** In the order of the text, of problems of the text itself one for each line: the parser stumbles over one more than once. */
export function placed(
  text: string,
  problems: readonly (TextProblem & { readonly path?: Path })[],
): readonly FileProblem[] {
  const lineStarts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length)];
  const sorted = [...problems].sort((a, b) => (a.offset ?? -1) - (b.offset ?? -1));
  let line = 0;
  let last = -1;
  return sorted.flatMap(({ offset, path, message }): readonly FileProblem[] => {
    if (offset === undefined) return [{ line: undefined, column: undefined, path: '', message }];
    while ((lineStarts[line + 1] ?? Number.POSITIVE_INFINITY) <= offset) line++;
    if (path === undefined && line === last) return [];
    last = line;
    const column = offset - (lineStarts[line] ?? 0) + 1;
    return [{ line: line + 1, column, path: (path ?? []).map(String).join('.'), message }];
  });
}
