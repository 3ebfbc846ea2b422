import type { LayoutOps } from '../../graph/ops/layout';
import { freePixelShuffle } from '../lower-pixel-shuffle';
import { layoutRules } from '../rules/layout';
import { asFixed, type FreeRules, isFreeAxis, requireFree, TO_THE_LAST } from './rule';

export const layoutFree: FreeRules<keyof LayoutOps> = {
  Constant: asFixed(layoutRules.Constant),
  Reshape: (w, { inputs, attrs: { shape } }, [x], varies) => {
    const from = inputs[0]!.shape;
    if (!varies(inputs[0]!)) return w.reshape(x!, shape);
    // Rows of features: only the number of rows is free, and 0 keeps it.
    const rows = from.length === 2 && shape[0] === from[0];
    requireFree(rows, 'Reshape', `the shape [${shape}] is one for inputs of one size`);
    return w.reshape(x!, [0, ...shape.slice(1)]);
  },
  Expand: (w, { inputs, attrs: { shape } }, [x], varies) => {
    requireFree(!varies(inputs[0]!), 'Expand', `the shape [${shape}] is one for inputs of one size`);
    return w.node('Expand', [x!, w.ints(shape)]);
  },
  Transpose: asFixed(layoutRules.Transpose),
  Concat: asFixed(layoutRules.Concat),
  Slice: (w, { inputs, attrs: { start, end, step } }, [x], varies) => {
    const [{ shape }, free] = [inputs[0]!, varies(inputs[0]!)];
    const whole = shape.map((n, i) => end[i] === n);
    const fixed = !free || shape.every((_, i) => whole[i] || !isFreeAxis(i));
    requireFree(fixed, 'Slice', `[${end}] may be near the end or a place of its own`);
    const cut = shape.flatMap((_, i) => (!whole[i] || start[i] !== 0 || step[i] !== 1 ? [i] : []));
    if (cut.length === 0) return x!;
    const of = (list: readonly number[]): readonly number[] => cut.map((axis) => list[axis]!);
    const ends = cut.map((axis) => (whole[axis] ? TO_THE_LAST : end[axis]!));
    return w.slice(x!, cut, of(start), ends, of(step));
  },
  Pad: asFixed(layoutRules.Pad),
  Gather: (w, node, inputs, varies) => {
    const fixed = !varies(node.inputs[0]!) || !isFreeAxis(node.attrs.axis);
    requireFree(
      fixed,
      'Gather',
      `the length of axis ${node.attrs.axis} may change, and with it which indices are valid`,
    );
    return layoutRules.Gather(w, node, inputs)[0]!;
  },
  PixelShuffle: (w, node, [x]) => freePixelShuffle(w, node, x!),
};
