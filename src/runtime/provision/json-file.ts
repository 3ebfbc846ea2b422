import type { z } from 'zod';
import { ConfigError, DataError } from '../../errors';
import { explain } from '../../jobs/job-problems';
import { parseStrictJson, plainJson } from '../../util/strict-json';

/**
 * The content of a JSON file that strangers may have written: no key twice, bounded depth, as the schema says.
 *
 * @param source how messages call the file
 * @throws ConfigError that names the file and every field that is wrong.
 */
export function parseJsonFile<T>(bytes: Uint8Array, schema: z.ZodType<T>, source: string, maxDepth = 16): T {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = plainJson(parseStrictJson(text, { what: source, maxDepth }), source);
  } catch (cause) {
    if (cause instanceof DataError) throw new ConfigError(cause.message, { cause });
    throw new ConfigError(`${source} is not valid UTF-8.`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = explain(schema, value).map(
    ({ path, message }) => `  ${path.join('.') || '(top level)'}: ${message}`,
  );
  throw new ConfigError(`${source} is not valid:\n${problems.slice(0, 20).join('\n')}`);
}
