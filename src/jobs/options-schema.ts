/**
 * What a user's own schemas say of what a job holds for the user's own parts.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Json, json } from '../util/json';
import { explain } from './job-problems';

/** Anything that checks options as zod does; the user's zod need not be ours. */
export interface OptionsSchema {
  safeParse(options: unknown):
    | { readonly success: true; readonly data: unknown }
    | {
        readonly success: false;
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] };
      };
}

export interface OptionProblem {
  /** From the options on. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** What is wrong with an input, in the words of job files where the schema is of our zod; empty when it is right. */
export function problemsOf(schema: OptionsSchema, input: unknown): readonly OptionProblem[] {
  const result = schema.safeParse(input);
  if (result.success) return [];
  return schema instanceof z.ZodType ? explain(schema, input) : result.error.issues;
}

export type CheckedOptions =
  | { readonly data: Readonly<Record<string, Json>> }
  | { readonly problems: readonly OptionProblem[] };

/**
 * Options that a job can hold: what the schema gives must be plain data and, since a job is written and read again, its own
 * input.
 *
 * @param part how messages call the part
 */
export function checkOptions(schema: OptionsSchema, options: unknown, part: string): CheckedOptions {
  const parsed = schema.safeParse(options);
  if (!parsed.success) return { problems: problemsOf(schema, options) };
  const stray = (what: string) => ({ path: [], message: `the options schema of the ${part} gives ${what}` });
  const plain = z.record(z.string(), json).safeParse(withoutUndefined(parsed.data));
  if (!plain.success) return { problems: [stray('what is no plain data, which a job file cannot hold')] };
  const again = schema.safeParse(plain.data);
  if (!again.success || !isDeepStrictEqual(withoutUndefined(again.data), plain.data)) {
    return { problems: [stray('what it does not take in turn: leave transformations to create')] };
  }
  return { data: plain.data };
}

/** An option that is given as undefined is not given. */
function withoutUndefined(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
}
