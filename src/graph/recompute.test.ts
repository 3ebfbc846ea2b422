import { describe, expect, it } from 'vitest';
import { openGraph } from '../onnx/open-graph';
import { sizeOf } from '../tensor/tensor';
import { Builder } from './builder';
import { differentiate } from './differentiate';
import type { Graph } from './graph';
import { interpret } from './interpret';

const X = [2, 4, 3, 4, 5];
const W = [4, 4, 3, 3, 3];
const convolution = { stride: [1, 1, 1], padding: [1, 1, 1] };

/** Two pre-activation convolutions and their gradients. */
function twoLayers(recomputeAbove: number): Graph {
  const b = new Builder();
  const x = b.input('x', X);
  const names = ['scale', 'shift', 'weight'];
  const parameters = [0, 1].flatMap((layer) =>
    names.map((name) => b.parameter(`${name}${layer}`, name === 'weight' ? W : [4])),
  );
  let value = x;
  for (const layer of [0, 1]) {
    const [scale, shift, weight] = parameters.slice(3 * layer) as [typeof x, typeof x, typeof x];
    const normal = b.emit('GroupNorm', [value, scale, shift], { groups: 2, epsilon: 1e-5 });
    value = b.add(b.conv(b.relu(normal), weight, convolution), value);
  }
  const gradients = differentiate(b, b.sumProduct(value, value), [x, ...parameters], { recomputeAbove });
  for (const [i, gradient] of gradients.entries()) b.output(`d${i}`, gradient);
  return b.build();
}

const feeds = new Map(
  [...twoLayers(0).inputs, ...twoLayers(0).parameters].map(([name, { shape }], k) => [
    name,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(1 + k + 1.7 * i)),
  ]),
);

describe('recomputation', () => {
  const [kept, recomputed] = [twoLayers(Number.POSITIVE_INFINITY), twoLayers(0)];

  it('gives the gradients that keeping the activations gives: to 1e-12 in double precision, the same bits in single', async () => {
    const [a, c] = [interpret(kept, feeds), interpret(recomputed, feeds)];
    const run = async (graph: Graph) => {
      const all = [...graph.inputs, ...graph.parameters];
      const inputs = all.map(([name, { shape }]) => [name, { shape, data: feeds.get(name)! }] as const);
      return (await openGraph(graph, { threads: 1 })).run(new Map(inputs));
    };
    const [d, e] = [await run(kept), await run(recomputed)];
    for (const name of kept.outputs.keys()) {
      for (const [i, value] of a.get(name)!.entries())
        expect(Math.abs(c.get(name)![i]! - value)).toBeLessThan(1e-12 * (1 + Math.abs(value)));
      expect([...e.get(name)!]).toEqual([...d.get(name)!]);
    }
  });

  it('keeps no activation for the backward pass, and waits with each copy for a gradient', () => {
    const used = (graph: Graph) => {
      const activations = graph.nodes.filter(({ op }) => op === 'Relu').slice(0, 2);
      return activations.map(({ outputs }) => graph.nodes.filter(({ inputs }) => inputs.includes(outputs[0]!)).length);
    };
    expect(used(kept).every((uses) => uses > 1)).toBe(true);
    expect(used(recomputed)).toEqual([1, 1]); // by the convolution of the forward pass
    expect(kept.nodes.some(({ op }) => op === 'After')).toBe(false);
    expect(recomputed.nodes.filter(({ op }) => op === 'Relu')).toHaveLength(4);
    expect(recomputed.nodes.some(({ op }) => op === 'After')).toBe(true);
  });
});
