import * as z from 'zod';
import { ConfigError } from '../errors';

/** A number within bounds; the message names the option, its flag where it has one, what was expected and what came. */
function bounded(name: string, expected: string, holds: (value: number) => boolean) {
  const error = (issue: { readonly input?: unknown }): string =>
    `${name} must be ${expected}, but was ${show(issue.input)}.`;
  return z.number({ error }).refine(holds, { error });
}

function show(input: unknown): string {
  return typeof input === 'string' ? JSON.stringify(input) : input === undefined ? 'not given' : String(input);
}

/** Wide enough for every use, narrow enough that no scale overflows. */
const positive = (name: string) =>
  bounded(name, 'a number from 1e-12 to 1e12', (value) => value >= 1e-12 && value <= 1e12);

const nvflareShape = {
  fraction: bounded('fraction (--dp_fraction)', 'a number above 0, at most 1', (value) => value > 0 && value <= 1),
  epsilon: positive('epsilon (--dp_epsilon)'),
  noiseVar: positive('noiseVar (--dp_noise_var)'),
  gamma: bounded('gamma (--dp_gamma)', 'a number from 1e-30 to 1e30', (value) => value >= 1e-30 && value <= 1e30),
  tau: bounded('tau', 'a number from 0 to 1e30', (value) => value >= 0 && value <= 1e30).default(1e-6),
};

export const svtNvflareOptionsSchema = z.strictObject(nvflareShape);
export const svtOptionsSchema = z.strictObject({ ...nvflareShape, budget: positive('budget').optional() });

/** @throws ConfigError that names every option that is wrong. */
export function parseOptions<S extends z.ZodType>(filter: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new ConfigError(`Filter '${filter}': ${parsed.error.issues.map((issue) => issue.message).join(' ')}`, {
    hint: 'Correct the flag or the key of the job file named above.',
  });
}
