/**
 * Files that people write by hand besides jobs: projects, policies, settings. Read as jobs are: bounded, plain data only, and
 * every mistake with its place.
 *
 * @module
 */
import type { z } from 'zod';
import { fileError, placed, placedFields } from './file-problems';
import { explain } from './job-problems';
import { readYaml } from './yaml-document';
import { decodeJobText } from './yaml-guard';

export interface ReadYamlOptions {
  /** How messages call the file. */
  readonly source: string;
  /** What it is to be: 'project', 'policy'. */
  readonly what: string;
  /** What to do about mistakes: where the fields are listed. */
  readonly hint: string;
}

/**
 * The content of a YAML file that a schema describes; an empty file is an empty mapping.
 *
 * @throws ConfigError that lists every problem with file, line, column, path, what came and what is allowed.
 */
export function parseYaml<T>(bytes: Uint8Array, schema: z.ZodType<T>, options: ReadYamlOptions): T {
  const decoded = decodeJobText(bytes);
  if ('problems' in decoded) throw fileError(placed(Buffer.from(bytes).toString('utf8'), decoded.problems), options);
  const document = readYaml(decoded.text);
  if (document.problems.length > 0) throw fileError(placed(document.text, document.problems), options);
  const value = document.value ?? {};
  const problems = explain(schema, value, { sourceOf: (path) => document.placeOf(path)?.source });
  if (problems.length > 0) throw fileError(placedFields(document, problems), options);
  return schema.parse(value);
}
