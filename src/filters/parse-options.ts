import type * as z from 'zod';
import { ConfigError } from '../errors';

/** @throws ConfigError that names every option that is wrong. */
export function parseOptions<S extends z.ZodType>(filter: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`Filter '${filter}': ${parsed.error.issues.map((issue) => issue.message).join(' ')}`, {
    hint: 'Correct the flag or the key of the job file named above.',
  });
}
