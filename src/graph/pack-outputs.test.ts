import { describe, expect, it } from 'vitest';
import { Builder } from './builder';
import { interpret } from './interpret';
import { packOutputs } from './pack-outputs';
import { verify } from './verify';

/** x, 2x and their sum as outputs. */
function example(length: number) {
  const b = new Builder();
  const x = b.input('x', [length, 1]);
  const doubled = b.scale(x, 2);
  b.output('doubled', doubled);
  b.output('x', x);
  b.output('sum', b.reduceSum(doubled));
  return b.build();
}

describe('packed outputs', () => {
  it('are those of the graph', () => {
    const graph = example(3);
    const feeds = new Map([['x', Float32Array.of(1, 2, 3)]]);
    const packed = packOutputs(graph);
    verify(packed.graph);
    expect([...packed.graph.outputs.keys()]).toEqual(['packed.0']);
    const pieces = new Map([...interpret(packed.graph, feeds)].map(([name, data]) => [name, Float32Array.from(data)]));
    for (const [name, data] of interpret(graph, feeds))
      expect([...packed.unpack(name, pieces)], name).toEqual([...data]);
  });

  it('stand in pieces of 128 MiB', () => {
    const { graph, piecesOf } = packOutputs(example(2 ** 24 + 1));
    expect([...graph.outputs].map(([name, { shape }]) => [name, ...shape])).toEqual([
      ['packed.0', 2 ** 24 + 1],
      ['packed.1', 2 ** 24 + 2],
    ]);
    expect(piecesOf(['x', 'sum'])).toEqual(['packed.1']);
    expect(piecesOf(['sum', 'doubled'])).toEqual(['packed.1', 'packed.0']);
  });
});
