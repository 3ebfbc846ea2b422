/**
 * Networks as trees of modules. A module knows its state by PyTorch's names, what its construction draws, and how to
 * write itself into a graph; a model is the root of a tree.
 *
 * @module
 */
import { InternalError } from '../../errors';
import type { Builder } from '../../graph/builder';
import type { Value } from '../../graph/graph';
import type { BufferSpec, Draw, DropoutSite, Forward, ParameterSpec } from '../models/definition';

/** A tensor of a module's state. */
export type StateSpec = { readonly parameter: ParameterSpec } | { readonly buffer: BufferSpec };

export interface Module {
  /** Names are relative to the module; the order is that of PyTorch's `state_dict()`. */
  readonly state: readonly StateSpec[];
  /** What construction draws, in order. */
  readonly draws: readonly Draw[];
  /** Writes the module at a place in the tree. @throws ShapeError naming the layer when the inputs do not fit */
  apply(at: Place, ...inputs: readonly Value[]): Value;
}

/** Where a module stands in the tree: what it writes into, and its own tensors. */
export interface Place {
  readonly b: Builder;
  readonly path: string;
  readonly training: boolean;
  readonly conditions: Forward['conditions'];
  parameter(name: string): Value;
  buffer(name: string): Value;
  setBuffer(name: string, next: Value): void;
  /** x with activations dropped in training. The dropout is named by the path. */
  dropout(x: Value, site: Omit<DropoutSite, 'name'>): Value;
  child(name: string): Place;
}

/** The root of the tree. */
export function rootPlace(forward: Forward): Place {
  return placeAt(forward, '');
}

function placeAt(forward: Forward, path: string): Place {
  const { b, training, conditions } = forward;
  const full = (name: string): string => joinPath(path, name);
  const found = (table: ReadonlyMap<string, Value>, name: string): Value => {
    const value = table.get(full(name));
    if (!value) throw new InternalError(`Layer '${path}' reads '${full(name)}', which is not in the model's state.`);
    return value;
  };
  return {
    b,
    path,
    training,
    conditions,
    parameter: (name) => found(forward.parameters, name),
    buffer: (name) => found(forward.buffers, name),
    setBuffer: (name, next) => forward.setBuffer(full(name), next),
    dropout: (x, site) => forward.dropout(x, { ...site, name: path }),
    child: (name) => placeAt(forward, full(name)),
  };
}

function joinPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

/** A module without children. Its nodes are attributed to its path. */
export function leaf(
  state: readonly StateSpec[],
  write: (at: Place, ...inputs: readonly Value[]) => Value,
  draws: readonly Draw[] = state.flatMap(defaultDraws),
): Module {
  return { state, draws, apply: (at, ...inputs) => at.b.inLayer(at.path, () => write(at, ...inputs)) };
}

/** A module without tensors of its own. */
export function stateless(write: (b: Builder, ...inputs: readonly Value[]) => Value): Module {
  return leaf([], ({ b }, ...inputs) => write(b, ...inputs));
}

/** Its input. */
export const identity: Module = { state: [], draws: [], apply: (_, x) => x! };

/** What a parameter with a random start draws. */
function defaultDraws(spec: StateSpec): readonly Draw[] {
  if ('buffer' in spec || spec.parameter.initialiser.kind === 'constant') return [];
  return [spec.parameter];
}

/** Applies a child of a composite by name. */
export type Call = (child: string, ...inputs: readonly Value[]) => Value;

/**
 * A module of named children. Names may have dots (`layers.0`): a list needs no module of its own.
 *
 * @param children in the order of the state: that in which PyTorch registers them
 * @param forward writes the module; what it writes outside its children is attributed to the module itself
 * @param construction the names of the children in the order in which they are constructed, where it is another one
 */
export function compose(
  children: Readonly<Record<string, Module>>,
  forward: (call: Call, at: Place, ...inputs: readonly Value[]) => Value,
  construction: readonly string[] = Object.keys(children),
): Module {
  const child = (name: string): Module => {
    const found = children[name];
    if (!found)
      throw new InternalError(`A module has no child '${name}'; it has: ${Object.keys(children).join(', ')}.`);
    return found;
  };
  return {
    state: Object.entries(children).flatMap(([name, { state }]) => state.map((spec) => prefixed(name, spec))),
    draws: construction.flatMap((name) =>
      child(name).draws.map((draw) => ({ ...draw, name: joinPath(name, draw.name) })),
    ),
    apply: (at, ...inputs) =>
      at.b.inLayer(at.path, () =>
        forward((name, ...values) => child(name).apply(at.child(name), ...values), at, ...inputs),
      ),
  };
}

function prefixed(path: string, spec: StateSpec): StateSpec {
  if ('buffer' in spec) return { buffer: { ...spec.buffer, name: joinPath(path, spec.buffer.name) } };
  return { parameter: { ...spec.parameter, name: joinPath(path, spec.parameter.name) } };
}

/** Children applied one after the other. */
export function sequential(children: Readonly<Record<string, Module>>): Module {
  const names = Object.keys(children);
  return compose(children, (call, _, x) => names.reduce((value, name) => call(name, value), x!));
}

/** Children named 0, 1, 2, …, applied one after the other. */
export function chain(...children: readonly Module[]): Module {
  return sequential(Object.fromEntries(children.map((module, i) => [String(i), module])));
}

/** The parameters of a module, in state order. */
export function parametersOf({ state }: Module): readonly ParameterSpec[] {
  return state.flatMap((spec) => ('parameter' in spec ? [spec.parameter] : []));
}

/** The buffers of a module, in state order. */
export function buffersOf({ state }: Module): readonly BufferSpec[] {
  return state.flatMap((spec) => ('buffer' in spec ? [spec.buffer] : []));
}
