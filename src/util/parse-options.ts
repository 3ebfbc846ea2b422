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
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
  throw new ConfigError(`The options of ${what} are wrong: ${problems.join('; ')}`, {
    hint: 'Correct the flag or the key of the job file named above.',
  });
}
