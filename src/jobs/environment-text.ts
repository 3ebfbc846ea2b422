/**
 * `${NAME}` in a job file: replaced by the environment variable of that name, where the schema declares the field safe.
 *
 * Safe are places on this machine, such as the folders of the data. Names, kinds and numbers are not: a job would mean
 * something else on another machine. The replacement happens after parsing, so a variable cannot add keys or change types,
 * and before checking. What is checked, hashed, run and stored is the job with the variables filled in.
 *
 * `$${NAME}` stands for the text `${NAME}` itself, in any field.
 *
 * @module
 */
import { z } from 'zod';
import { schemaAt } from './schema-at';
import type { Path } from './yaml-document';

const safe = z.registry<{ readonly environment: true }>();

/** Declares that a text of this schema may hold `${NAME}` in a job file. Call it last: what copies the schema forgets it. */
export function environmentText<S extends z.ZodType>(schema: S): S {
  safe.add(schema, { environment: true });
  return schema;
}

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

export interface VariableProblem {
  readonly path: Path;
  readonly message: string;
  /** Whether the schema knows the field. */
  readonly known: boolean;
}

export interface Substituted {
  readonly value: unknown;
  readonly problems: readonly VariableProblem[];
}

/** The fields whose texts are left as they are, because somebody else fills in their variables. */
export type Kept = (path: Path) => boolean;

const nothingKept: Kept = () => false;

/** Fields under these keys that may hold variables. */
export function variablesUnder(keys: readonly string[], schema: z.ZodType, input: unknown): Kept {
  return (path) => {
    const field = keys.includes(String(path[0])) ? schemaAt(schema, input, path) : undefined;
    return field !== undefined && safe.has(field);
  };
}

/** The value with all variables filled in. A missing one, or one in a field that is not declared safe, is a problem. */
export function substituteEnvironment(
  schema: z.ZodType,
  input: unknown,
  environment: Variables,
  kept: Kept = nothingKept,
): Substituted {
  const problems: VariableProblem[] = [];
  const value = mapTexts(input, [], (text, path) => {
    if (!text.includes('${') || kept(path)) return text;
    return text.replace(reference, (whole, dollars: string, name: string) => {
      if (dollars.length > 1) return whole.slice(1);
      const field = schemaAt(schema, input, path);
      const problem = field && safe.has(field) ? problemOf(name, environment) : notSafe(whole);
      if (problem !== undefined) problems.push({ path, message: problem, known: field !== undefined });
      return environment[name] ?? whole;
    });
  });
  return { value, problems };
}

/** The value as a job file has to state it, so that {@link substituteEnvironment} gives it back. */
export function escapeEnvironment(value: unknown, kept: Kept = nothingKept): unknown {
  return mapTexts(value, [], (text, path) => {
    if (!text.includes('${') || kept(path)) return text;
    return text.replace(reference, (whole) => `$${whole}`);
  });
}

const reference = /(\$+)\{([^{}]*)\}/g;

function problemOf(name: string, environment: Variables): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return `\${${name}} names no environment variable: letters, digits and underscores are allowed, no digit first`;
  }
  const given = environment[name];
  if (given === undefined) return `the environment variable ${name} is not set`;
  return given === '' ? `the environment variable ${name} is empty` : undefined;
}

function notSafe(whole: string): string {
  return `${whole} is not replaced here: environment variables are for folders and files of data. For the text itself write $${whole}`;
}

function mapTexts(value: unknown, path: Path, change: (text: string, path: Path) => string): unknown {
  if (typeof value === 'string') return change(value, path);
  if (Array.isArray(value)) return value.map((item, i) => mapTexts(item, [...path, i], change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, [...path, key], change)]));
}
