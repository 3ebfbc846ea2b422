/**
 * Options checked at the edge.
 *
 * @module
 */
import type { z } from 'zod';
import { ConfigError } from '../errors';

/** The options with defaults filled in. @throws ConfigError naming each option that is wrong, and why */
export function parseOptions<S extends z.ZodType>(what: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'options'}: ${message}${foundAt(options, path)}`,
  );
  throw new ConfigError(`The options of ${what} are wrong: ${problems.join('; ')}`, {
    hint: 'Correct the flag or the key of the job file named above.',
  });
}

/** What stands in the input at a path, shortened, for a message; nothing where nothing stands there. */
export function foundAt(input: unknown, path: readonly PropertyKey[]): string {
  const value = valueAt(input, path);
  const plain = Array.isArray(value) ? value.every((one) => typeof one !== 'object') : typeof value !== 'object';
  if (value === undefined || !plain) return '';
  return ` (found ${(Array.isArray(value) ? JSON.stringify(value) : String(value)).slice(0, 80)})`;
}

/** What stands in plain data at a path. */
export function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value: unknown = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}
