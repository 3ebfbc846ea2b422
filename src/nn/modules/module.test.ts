import { describe, expect, it } from 'vitest';
import { Builder } from '../../graph/builder';
import { applyForInference, declareModel } from '../apply-model';
import { convolution } from './convolution';
import { modelOf } from './model-of';
import { chain, compose, type Module, sequential, stateless } from './module';

const dims = 1;
const relu = stateless((b, x) => b.relu(x!));
const conv = (ins: number, outs: number): Module => convolution({ dims, ins, outs, kernel: 3 });

/** A block and its shortcut, constructed in the other order than they are registered. */
const root = compose(
  { block: sequential({ conv: conv(1, 2), act: relu }), shortcut: chain(conv(1, 2)) },
  (call, { b }, x) => b.add(call('block', x!), call('shortcut', x!)),
  ['shortcut', 'block'],
);
const head = { kind: 'tiny', options: {}, spatialDims: dims, inChannels: 1, outChannels: 2, spatialDivisor: 1 };
const model = modelOf(head, root);

describe('a tree of modules', () => {
  it('has the names and order of registration, and the draws of construction', () => {
    const state = ['block.conv.weight', 'block.conv.bias', 'shortcut.0.weight', 'shortcut.0.bias'];
    expect(model.parameters.map(({ name }) => name)).toEqual(state);
    expect(model.draws.map(({ name }) => name)).toEqual([...state.slice(2), ...state.slice(0, 2)]);
  });

  it('attributes what it writes to the path of the module that writes it', () => {
    const b = new Builder();
    const inputs = { image: b.input('image', [1, 1, 4]) };
    b.output('y', applyForInference(b, model, declareModel(b, model), inputs));
    const written = b.build().nodes.map(({ op, layer }) => `${layer}: ${op}`);
    expect(written).toEqual([
      'block.conv: Conv',
      'block.conv: Reshape',
      'block.conv: Add',
      'block.act: Relu',
      'shortcut.0: Conv',
      'shortcut.0: Reshape',
      'shortcut.0: Add',
      ': Add',
    ]);
  });

  it('names the layer whose shapes do not fit', () => {
    const wrong = modelOf({ ...head, inChannels: 3 }, root);
    const b = new Builder();
    const inputs = { image: b.input('image', [1, 3, 4]) };
    expect(() => applyForInference(b, wrong, declareModel(b, wrong), inputs)).toThrow(
      /^Layer 'block.conv': Conv: .*\[1,3,4\], \[2,1,3\]/,
    );
  });
});
