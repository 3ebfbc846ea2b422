/**
 * Compares the tensors that a model expects with those of a file.
 *
 * @module
 */
import { DataError } from '../errors';
import { type DType, type NamedTensors, type Shape, sameShape, type Tensor, tensor } from './tensor';

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
  /** @default float32 */
  readonly dtype?: 'float32' | 'int64';
}

export interface MatchOptions {
  /** Further names under which files may list an expected tensor, and the expected name. */
  readonly aliases?: ReadonlyMap<string, string>;
}

export interface TensorMatch {
  /** The expected tensors that were found with the right shape, in the expected order and element type. */
  readonly tensors: NamedTensors;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshaped: readonly { readonly name: string; readonly expected: Shape; readonly found: Shape }[];
  /** Tensors whose element type cannot be converted without loss of meaning. */
  readonly mistyped: readonly { readonly name: string; readonly expected: DType; readonly found: DType }[];
  /** What was done to make names and types fit, as full sentences. */
  readonly notes: readonly string[];
}

/**
 * What matches and what does not; nothing is thrown. A prefix that the names of the file share (`module.` of a parallel
 * model, say) is dropped, numbers are converted between floating-point types and between integer types: `notes` says so.
 */
export function matchTensors(
  expected: readonly ExpectedTensor[],
  found: NamedTensors,
  { aliases = new Map() }: MatchOptions = {},
): TensorMatch {
  const prefix = strayPrefix(expected, found);
  const byName = withoutAliases(prefix === '' ? found : withoutPrefix(found, prefix), aliases);
  const tensors = new Map<string, Tensor>();
  const [missing, converted]: string[][] = [[], []];
  const misshaped: TensorMatch['misshaped'][number][] = [];
  const mistyped: TensorMatch['mistyped'][number][] = [];
  for (const { name, shape, dtype = 'float32' } of expected) {
    const one = byName.get(name);
    const fitting = one && convert(one, dtype);
    if (!one) missing!.push(name);
    else if (!sameShape(one.shape, shape)) misshaped.push({ name, expected: shape, found: one.shape });
    else if (!fitting) mistyped.push({ name, expected: dtype, found: one.dtype });
    else tensors.set(name, fitting);
    if (fitting && fitting !== one) converted!.push(`${name} from ${one!.dtype} to ${dtype}`);
  }
  const names = new Set(expected.map(({ name }) => name));
  const extra = [...byName.keys()].filter((name) => !names.has(name));
  const notes = [
    ...(prefix === '' ? [] : [`The prefix '${prefix}' was dropped from the names.`]),
    ...describe('converted', converted!),
  ];
  return { tensors, missing: missing!, extra, misshaped, mistyped, notes };
}

/** One sentence each on what is missing, extra, of another shape or type; none when the tensors fit. */
export function problemsOf(match: TensorMatch): readonly string[] {
  const shapes = match.misshaped.map(({ name, ...shapes }) => `${name} is [${shapes.found}], not [${shapes.expected}]`);
  const types = match.mistyped.map(({ name, ...types }) => `${name} is ${types.found}, not ${types.expected}`);
  return [
    ...describe('missing', match.missing),
    ...describe('not expected', match.extra),
    ...describe('of another shape', shapes),
    ...describe('of another type', types),
  ];
}

/**
 * The expected tensors, in the expected order, and what was done to make them fit.
 *
 * @param source What the tensors come from, for the message: a file name, say.
 * @throws DataError that lists what is missing, extra or of another shape or type
 */
export function requireTensors(
  expected: readonly ExpectedTensor[],
  found: NamedTensors,
  source: string,
  options: MatchOptions = {},
): Pick<TensorMatch, 'tensors' | 'notes'> {
  const match = matchTensors(expected, found, options);
  const problems = problemsOf(match);
  if (problems.length === 0) return match;
  throw new DataError(
    `The tensors of ${source} are not those of the model (${expected.length} expected). ${problems.join(' ')}`,
    { hint: 'Use a file of this model, with the same options (number of filters, blocks, channels).' },
  );
}

/** One sentence that names the first few of a list; none for an empty one. */
function describe(what: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, 5).join(', ');
  const more = items.length > 5 ? `, and ${items.length - 5} more` : '';
  return [`${items.length} ${what}: ${shown}${more}.`];
}

/** The text before the expected names when the file has some of them under it and none without; '' otherwise. */
function strayPrefix(expected: readonly ExpectedTensor[], found: NamedTensors): string {
  if (expected.some(({ name }) => found.has(name))) return '';
  for (const { name } of expected) {
    const match = [...found.keys()].find((key) => key.endsWith(`.${name}`));
    if (match !== undefined) return match.slice(0, match.length - name.length);
  }
  return '';
}

function withoutPrefix(found: NamedTensors, prefix: string): NamedTensors {
  return new Map([...found].map(([name, one]) => [name.startsWith(prefix) ? name.slice(prefix.length) : name, one]));
}

/** Aliases give way to the tensor's own name, and stand in for it where it is not there. */
function withoutAliases(found: NamedTensors, aliases: ReadonlyMap<string, string>): NamedTensors {
  const named = [...found].filter(([name]) => !aliases.has(name));
  const others = [...found].flatMap(([name, one]): readonly (readonly [string, Tensor])[] => {
    const own = aliases.get(name);
    return own === undefined || found.has(own) ? [] : [[own, one]];
  });
  return new Map([...named, ...others]);
}

/** The tensor in another element type of the same kind of number; undefined when there is no such conversion. */
function convert(one: Tensor, dtype: 'float32' | 'int64'): Tensor | undefined {
  const { data, shape } = one;
  if (one.dtype === dtype) return one;
  if (dtype === 'float32')
    return data instanceof Float64Array ? tensor('float32', shape, new Float32Array(data)) : undefined;
  const integers =
    one.dtype === 'bool' || data instanceof Float32Array || data instanceof Float64Array ? undefined : data;
  return integers && tensor('int64', shape, BigInt64Array.from([...integers].map(BigInt)));
}
