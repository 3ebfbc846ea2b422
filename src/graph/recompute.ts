/**
 * Recomputation: what the backward pass needs of the forward pass is kept until then, which is most of a training step's
 * memory. A normalised activation need not be kept, since its normalisation's input is kept anyway and its statistics are
 * small: so it, and what follows from it number by number, is computed again where the backward pass needs it.
 *
 * The copy must not be computed early, or it would be kept like the original: its statistics wait (`After`) for the
 * gradient that needs it.
 *
 * @module
 */
import { type Shape, sizeOf } from '../tensor/tensor';
import type { Builder } from './builder';
import type { Node, NodeOf, Value } from './graph';
import type { Op } from './ops';

export interface Recomputation {
  /** The node with those inputs and outputs that are computed again, after `trigger`, in place of the forward pass's. */
  withFreshValues<K extends Op>(node: NodeOf<K>, trigger: Value): NodeOf<K>;
}

/** Computes the first output of a node again. `again` gives a copy of an input, `late` the same value but later. */
type Rule<K extends Op> = (
  b: Builder,
  node: NodeOf<K>,
  how: { readonly again: (input: Value) => Value; readonly late: (small: Value) => Value },
) => Value;

/** Computed again from their inputs, which are kept: chains of fresh values begin here. */
const beginnings: { readonly [K in Op]?: Rule<K> } = {
  GroupNorm: (b, { inputs: [x, scale, shift], outputs: [, mean, rstd], attrs: { groups } }, { late }) =>
    normalise(b, { x: x!, scale: scale!, shift: shift!, mean: mean!, rstd: late(rstd!), groups }),
};

/** Computed again where their first input is. */
const continuations: { readonly [K in Op]?: Rule<K> } = {
  Relu: (b, { inputs: [x] }, { again }) => b.relu(again(x!)),
};

/** x·s + t with s = γ·rstd and t = β − mean·s: the lowering of GroupNorm computes the same, in this order. */
function normalise(
  b: Builder,
  of: {
    readonly x: Value;
    readonly scale: Value;
    readonly shift: Value;
    readonly mean: Value;
    readonly rstd: Value;
    readonly groups: number;
  },
): Value {
  const [samples, channels, ...spatial] = of.x.shape as [number, number, ...number[]];
  const perChannel = [1, of.groups, channels / of.groups];
  const perGroup = [samples, of.groups, 1];
  const s = b.mul(b.reshape(of.rstd, perGroup), b.reshape(of.scale, perChannel));
  const t = b.sub(b.reshape(of.shift, perChannel), b.mul(b.reshape(of.mean, perGroup), s));
  const shape: Shape = [samples, channels, ...spatial.map(() => 1)];
  return b.add(b.mul(of.x, b.reshape(s, shape)), b.reshape(t, shape));
}

/** @param above bytes from which on a value is computed again */
export function createRecomputation(b: Builder, nodes: readonly Node[], above: number): Recomputation {
  const producers = new Map(nodes.map((node) => [node.outputs[0]!.id, node]));
  const copies = new Map<number, Value>();
  return {
    withFreshValues(node, trigger) {
      const again = (value: Value): Value => fresh(value, trigger);
      return { ...node, inputs: node.inputs.map(again), outputs: outputsOf(node.op, node.outputs, trigger) };
    },
  };

  /**
   * The statistics of a large normalisation, late: then what only they and its input are needed for, as the centred input
   * is, is computed again too.
   */
  function outputsOf(op: Op, [first, ...statistics]: readonly Value[], trigger: Value): readonly Value[] {
    const late = op in beginnings && isLarge(first!);
    return [
      fresh(first!, trigger),
      ...statistics.map((small) => (late ? b.emit('After', [small, trigger], {}) : small)),
    ];
  }

  function isLarge(value: Value): boolean {
    return 4 * sizeOf(value.shape) >= above;
  }

  /** The value computed again, once for the whole backward pass; the value itself where it is kept. */
  function fresh(value: Value, trigger: Value): Value {
    const known = copies.get(value.id);
    if (known) return known;
    if (!isLarge(value)) return value;
    const copy = compute(value, trigger);
    copies.set(value.id, copy);
    return copy;
  }

  function compute(value: Value, trigger: Value): Value {
    const node = producers.get(value.id);
    const again = (input: Value): Value => fresh(input, trigger);
    const late = (small: Value): Value => b.emit('After', [small, trigger], {});
    if (!node) return value;
    const begin = beginnings[node.op] as Rule<Op> | undefined;
    if (begin) return b.inLayer(node.layer, () => begin(b, node as NodeOf<Op>, { again, late }));
    const go = continuations[node.op] as Rule<Op> | undefined;
    if (!go || again(node.inputs[0]!) === node.inputs[0]) return value;
    return b.inLayer(node.layer, () => go(b, node as NodeOf<Op>, { again, late }));
  }
}
