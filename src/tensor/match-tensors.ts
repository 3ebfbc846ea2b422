/**
 * Compares the tensors that a model expects with those of a file.
 *
 * @module
 */
import { DataError } from '../errors';
import { type NamedTensors, type Shape, sameShape } from './tensor';

export interface ExpectedTensor {
  readonly name: string;
  readonly shape: Shape;
}

export interface TensorMatch {
  /** The expected tensors that were found with the right shape, in the expected order. */
  readonly tensors: NamedTensors;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly misshaped: readonly { readonly name: string; readonly expected: Shape; readonly found: Shape }[];
  /** A prefix of all found names without which they would match (`module.` of a parallel model, say). */
  readonly strayPrefix: string | undefined;
}

/** What matches and what does not; nothing is thrown. */
export function matchTensors(expected: readonly ExpectedTensor[], found: NamedTensors): TensorMatch {
  const tensors = new Map(
    expected.flatMap(({ name, shape }) => {
      const tensor = found.get(name);
      return tensor && sameShape(tensor.shape, shape) ? [[name, tensor] as const] : [];
    }),
  );
  const names = new Set(expected.map(({ name }) => name));
  const misshaped = expected.flatMap(({ name, shape }) => {
    const tensor = found.get(name);
    return tensor && !tensors.has(name) ? [{ name, expected: shape, found: tensor.shape }] : [];
  });
  const missing = [...names].filter((name) => !found.has(name));
  const extra = [...found.keys()].filter((name) => !names.has(name));
  return { tensors, missing, extra, misshaped, strayPrefix: strayPrefix(expected, found) };
}

/**
 * The expected tensors, in the expected order. @throws DataError that lists what is missing, extra or of another shape.
 * @param source What the tensors come from, for the message: a file name, say.
 */
export function requireTensors(expected: readonly ExpectedTensor[], found: NamedTensors, source: string): NamedTensors {
  const match = matchTensors(expected, found);
  const shapes = match.misshaped.map(({ name, ...shapes }) => `${name} is [${shapes.found}], not [${shapes.expected}]`);
  const problems = [
    ...describe('missing', match.missing),
    ...describe('not expected', match.extra),
    ...describe('of another shape', shapes),
  ];
  if (problems.length === 0) return match.tensors;
  const hint =
    match.strayPrefix === undefined
      ? 'Use a file of this model, with the same options (number of filters, blocks, channels).'
      : `All names begin with '${match.strayPrefix}': save the weights of the inner model, without that prefix.`;
  throw new DataError(
    `The tensors of ${source} are not those of the model (${expected.length} expected). ${problems.join(' ')}`,
    {
      hint,
    },
  );
}

/** One sentence that names the first few of a list; none for an empty one. */
function describe(what: string, items: readonly string[]): readonly string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, 5).join(', ');
  const more = items.length > 5 ? `, and ${items.length - 5} more` : '';
  return [`${items.length} ${what}: ${shown}${more}.`];
}

function strayPrefix(expected: readonly ExpectedTensor[], found: NamedTensors): string | undefined {
  const first = expected[0]?.name;
  const match = first === undefined ? undefined : [...found.keys()].find((name) => name.endsWith(`.${first}`));
  if (first === undefined || match === undefined) return undefined;
  const prefix = match.slice(0, match.length - first.length);
  return expected.every(({ name }) => found.has(prefix + name)) ? prefix : undefined;
}
