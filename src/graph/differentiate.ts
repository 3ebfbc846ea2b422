/**
 * Reverse-mode differentiation, written on the graph itself.
 *
 * @module
 */
import { ConfigError, InternalError } from '../errors';
import { sizeOf } from '../tensor/tensor';
import type { Builder } from './builder';
import type { Node, NodeOf, Value } from './graph';
import type { Op } from './ops';
import { createRecomputation, type Recomputation } from './recompute';
import { vjpRules } from './vjp-rules';

export interface DifferentiateOptions {
  /** Values through which nothing is differentiated, though they depend on `wrt`. */
  readonly constants?: readonly Value[];
  /**
   * Activations of at least so many bytes that are cheap to compute are computed again for the backward pass instead of
   * being kept for it. Results are the same, bit for bit. @default 24 MiB, or 6 MiB in large graphs
   */
  readonly recomputeAbove?: number;
}

/** Smaller activations stay: computing them again would take time and save little memory. Less so in large graphs. */
const RECOMPUTE_ABOVE = 24 * 2 ** 20;
const RECOMPUTE_ABOVE_IN_LARGE = 6 * 2 ** 20;

/** A graph is large when its largest activation has so many bytes. */
const LARGE = 64 * 2 ** 20;

function defaultThreshold(nodes: readonly Node[]): number {
  const large = nodes.some(({ outputs }) => outputs.some(({ shape }) => 4 * sizeOf(shape) >= LARGE));
  return large ? RECOMPUTE_ABOVE_IN_LARGE : RECOMPUTE_ABOVE;
}

/**
 * Appends the backward pass of `loss` to the builder.
 *
 * @param loss a value of one element
 * @param wrt the values to differentiate by
 * @returns the gradient of each of `wrt`, of its shape; zeros where the loss does not depend on it
 * @throws ConfigError when the loss has more than one element, or depends on `wrt` through an operator without a derivative
 */
export function differentiate(
  b: Builder,
  loss: Value,
  wrt: readonly Value[],
  { constants = [], recomputeAbove = defaultThreshold(b.nodes) }: DifferentiateOptions = {},
): readonly Value[] {
  if (sizeOf(loss.shape) !== 1)
    throw new ConfigError(`A loss has one element, but this one has shape [${loss.shape}].`);
  const nodes = [...b.nodes];
  const relevant = dependents(nodes, wrt, new Set([...b.detached, ...constants.map(({ id }) => id)]));
  const recomputation = createRecomputation(b, nodes, recomputeAbove);
  const gradients = new Map<number, Value>([[loss.id, b.emit('Constant', [], { shape: loss.shape, values: [1] })]]);
  for (const node of nodes.reverse()) {
    if (!node.outputs.some((value) => relevant.has(value.id))) continue;
    b.inLayer(node.layer, () => propagate(b, node, gradients, relevant, recomputation));
  }
  return wrt.map((value) => gradients.get(value.id) ?? b.expand(b.scalar(0), value.shape));
}

/** The ids of all values that depend on one of `wrt`, other than through a constant. */
function dependents(nodes: readonly Node[], wrt: readonly Value[], constants: ReadonlySet<number>): Set<number> {
  const found = new Set(wrt.map((value) => value.id));
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some((value) => found.has(value.id))) continue;
    for (const value of outputs) if (!constants.has(value.id)) found.add(value.id);
  }
  return found;
}

/** Adds to the gradients of a node's inputs what comes through the node. */
function propagate(
  b: Builder,
  node: Node,
  gradients: Map<number, Value>,
  relevant: ReadonlySet<number>,
  recomputation: Recomputation,
): void {
  const [first, ...others] = node.outputs;
  if (others.some((value) => gradients.has(value.id))) {
    throw new ConfigError(`Only the first output of ${node.op} can be differentiated.`);
  }
  const g = gradients.get(first!.id);
  if (!g) return;
  for (const [i, term] of vjp(b, g, recomputation.withFreshValues(node, g)).entries()) {
    const input = node.inputs[i];
    if (!input || !term || !relevant.has(input.id)) continue;
    const sum = gradients.get(input.id);
    gradients.set(input.id, sum ? b.add(sum, term) : term);
  }
}

function vjp<K extends Op>(b: Builder, g: Value, node: NodeOf<K>): readonly (Value | undefined)[] {
  const rule = vjpRules[node.op];
  if (typeof rule !== 'function')
    throw new ConfigError(`${node.op} cannot be differentiated: ${rule.notDifferentiable}.`);
  const terms = rule(b, g, node);
  for (const [i, term] of terms.entries()) {
    const expected = node.inputs[i]!.shape;
    if (term && `${term.shape}` !== `${expected}`) {
      throw new InternalError(`The gradient of input ${i} of ${node.op} is [${term.shape}], not [${expected}].`);
    }
  }
  return terms;
}
