/**
 * What is wrong with an input, from what a schema says: for each field its path, what came and what is allowed.
 *
 * @module
 */
import { z } from 'zod';
import { didYouMean, nearest } from '../util/nearest';
import { allowedBy } from './allowed';
import { ownKinds, unknownOwnKind } from './own-part';
import { branchFor, kindsOf, ownSlotOf, plainSchema, schemaAt } from './schema-at';
import type { Path } from './yaml-document';

export interface FieldProblem {
  readonly path: Path;
  /** Whether the key is at fault, not its value. */
  readonly ofKey: boolean;
  /** Without the path. */
  readonly message: string;
}

export interface ExplainOptions {
  /** How the value at a path is written where the input comes from; as JSON when absent. */
  readonly sourceOf?: (path: Path) => string | undefined;
}

/** Keys of one mapping beyond this are only counted. */
const mostKeys = 20;

/** Problems of one input beyond this are left out. */
export const mostProblems = 200;

/** The problems of an input, in the order of the schema; empty when it is right. */
export function explain(schema: z.ZodType, input: unknown, options: ExplainOptions = {}): readonly FieldProblem[] {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return [];
  const issues = result.error.issues.slice(0, mostProblems).flatMap((issue) => meantIssues(schema, input, issue));
  const problems = issues.flatMap((issue) => explainIssue({ schema, input, options }, issue));
  // A misspelt key is reported once: where it stands, not where it is missing.
  const respelt = new Set(problems.flatMap(({ instead }) => (instead === undefined ? [] : [nameOf(instead)])));
  return problems.filter(({ path, instead }) => instead !== undefined || !respelt.has(nameOf(path)));
}

interface Explained extends FieldProblem {
  /** The missing field that this key was probably meant to be. */
  readonly instead?: Path;
}

interface Context {
  readonly schema: z.ZodType;
  readonly input: unknown;
  readonly options: ExplainOptions;
}

/** Where kinds decide, only what the alternative has to say that was meant. */
function meantIssues(schema: z.ZodType, input: unknown, issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const union = schemaAt(schema, input, issue.path);
  const value = valueAt(input, issue.path);
  const branch = union instanceof z.ZodUnion ? branchFor(union, value) : undefined;
  const result = branch?.safeParse(value, { reportInput: true });
  if (!branch || !result || result.success) return [issue];
  return result.error.issues
    .flatMap((inner) => meantIssues(branch, value, inner))
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function explainIssue(context: Context, issue: z.core.$ZodIssue): readonly Explained[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return explainKeys(context, issue);
  const field = schemaAt(context.schema, context.input, path);
  const given = valueAt(context.input, path);
  if (issue.code === 'invalid_union' && field instanceof z.ZodUnion) {
    // Both forms of the path are in use: that of the mapping and that of its kind.
    if (kindsOf(field).length > 0 && isMapping(given)) return [explainKind(context, [...path, 'kind'], field)];
  }
  if ((issue.code === 'invalid_union' || issue.code === 'custom') && path.at(-1) === 'kind') {
    const union = schemaAt(context.schema, context.input, path.slice(0, -1));
    if (union instanceof z.ZodUnion && !isKnownKind(union, given)) return [explainKind(context, path, union)];
  }
  const came = cameAt(context, path);
  const found = given === undefined ? 'is missing' : `found ${came === '' ? kindOfValue(given) : came}`;
  if (hasOwnWords(issue) && issue.code !== 'invalid_format') {
    const told = came === '' || issue.message.includes(came);
    return [{ path, ofKey: false, message: told ? issue.message : `${issue.message} (${found})` }];
  }
  const words = hasOwnWords(issue) ? issue.message : field && allowedAt(field);
  const allowed = words === undefined ? '' : ` Allowed: ${words}`;
  return [{ path, ofKey: false, message: `${found}.${slip(field, given)}${allowed}` }];
}

function allowedAt(field: z.ZodType): string {
  const kinds = field instanceof z.ZodUnion ? kindsOf(field) : [];
  return kinds.length === 0 ? allowedBy(field) : `a mapping with a kind: ${kinds.join(', ')}`;
}

/** One of a fixed set of words, misspelt. */
function slip(field: z.ZodType | undefined, given: unknown): string {
  if (!(field instanceof z.ZodEnum) || typeof given !== 'string') return '';
  return didYouMean(given, field.options.map(String));
}

function explainKeys(context: Context, issue: z.core.$ZodIssueUnrecognizedKeys): readonly Explained[] {
  const { path, keys } = issue;
  const known = keysOf(context, path);
  const given = valueAt(context.input, path) as Readonly<Record<string, unknown>>;
  const absent = known.filter((key) => given[key] === undefined);
  const all = known.length === 0 ? '' : ` Known here: ${known.join(', ')}`;
  const problems = keys.slice(0, mostKeys).map((key): Explained => {
    const missing = nearest(key, absent);
    const meant = missing === undefined ? didYouMean(key, known) : ` Did you mean '${missing}'?`;
    const instead = missing === undefined ? {} : { instead: [...path, missing] };
    return { path: [...path, key], ofKey: true, message: `unknown key.${meant}${all}`, ...instead };
  });
  const rest = keys.length - problems.length;
  if (rest === 0) return problems;
  return [...problems, { path, ofKey: false, message: `${rest} more unknown keys.${all}` }];
}

/** A kind that is known may still be wrong beside another part of the job. */
function isKnownKind(union: z.ZodUnion, kind: unknown): boolean {
  const slot = ownSlotOf(union);
  const own: readonly string[] = slot === undefined ? [] : ownKinds(slot);
  return typeof kind === 'string' && (kindsOf(union).includes(kind) || own.includes(kind));
}

function explainKind(context: Context, path: Path, union: z.ZodUnion): Explained {
  const builtIn = kindsOf(union);
  const slot = ownSlotOf(union);
  const own: readonly string[] = slot === undefined ? [] : ownKinds(slot);
  const all = ` Known: ${builtIn.join(', ')}${own.length === 0 ? '' : `; of your own: ${own.join(', ')}`}`;
  const given = valueAt(context.input, path);
  if (given === undefined) {
    const part = valueAt(context.input, path.slice(0, -1));
    const key = isMapping(part) ? Object.keys(part).find((one) => nearest(one, ['kind']) !== undefined) : undefined;
    if (key === undefined) return { path, ofKey: false, message: `is missing.${all}` };
    const message = `unknown key. Did you mean 'kind'?${all}`;
    return { path: [...path.slice(0, -1), key], ofKey: true, message, instead: path };
  }
  if (slot !== undefined && typeof given === 'string' && given.includes('/'))
    return { path, ofKey: false, message: unknownOwnKind(slot, given, builtIn) };
  const short = own.find((kind) => kind.endsWith(`/${given}`));
  const meant = typeof given === 'string' ? didYouMean(short ?? given, [...own, ...builtIn]) : '';
  const found = cameAt(context, path) || kindOfValue(given);
  return { path, ofKey: false, message: `unknown kind ${found}.${meant}${all}` };
}

function keysOf({ schema, input }: Context, path: Path): readonly string[] {
  let at = schemaAt(schema, input, path);
  if (at instanceof z.ZodUnion) at = branchFor(at, valueAt(input, path));
  const plain = at && plainSchema(at);
  return plain instanceof z.ZodObject ? Object.keys(plain.shape) : [];
}

/** Whether the schema's author wrote the message; else it is the library's. */
function hasOwnWords(issue: z.core.$ZodIssue): boolean {
  if (issue.code === 'custom') return true;
  const words = z.locales.en().localeError(issue as z.core.$ZodRawIssue);
  return issue.message !== (typeof words === 'string' ? words : words?.message);
}

/** What stands at a path, shortened; nothing for mappings, for lists of them, and where nothing stands. */
function cameAt({ input, options }: Context, path: Path): string {
  const value = valueAt(input, path);
  if (
    value === undefined ||
    isMapping(value) ||
    (Array.isArray(value) && value.some((one) => typeof one === 'object'))
  ) {
    return '';
  }
  if (Array.isArray(value) && value.length > 8) return `a list of ${value.length}`;
  const source = options.sourceOf?.(path);
  if (typeof value === 'string') return shorten(source === undefined || source === value ? `'${value}'` : source);
  // A function or a symbol has no JSON.
  return shorten(source ?? (typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))));
}

function kindOfValue(value: unknown): string {
  return Array.isArray(value) ? 'a list' : 'a mapping';
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}

function valueAt(input: unknown, path: Path): unknown {
  let value = input;
  for (const key of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[key];
  return value;
}

function nameOf(path: Path): string {
  return path.map(String).join('\0');
}
