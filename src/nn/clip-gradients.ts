/**
 * Limits on gradients before the optimiser sees them.
 *
 * @module
 */
import type { Builder } from '../graph/builder';
import { abs, clip as clamp, maximum, minimum, reduceMax } from '../graph/functions';
import type { Value } from '../graph/graph';
import type { GradientClip } from '../jobs/optimiser-spec';

/** Keeps the quotient finite when all gradients are zero, as PyTorch does. */
const EPSILON = 1e-6;

/** Stands in for the largest gradient when all are zero. */
const TINY = 2 ** -126;

/**
 * `norm`: all gradients times min(1, max / (‖g‖ + 1e-6)), ‖g‖ being the L2 norm of all of them together (Pascanu et al.
 * 2013, arXiv:1211.5063). `value`: each element clamped to [−max, max].
 */
export function clipGradients(b: Builder, gradients: readonly Value[], clip: GradientClip): readonly Value[] {
  const { max } = clip;
  if (clip.kind === 'value') return gradients.map((g) => clamp(b, g, { min: -max, max }));
  const quotient = b.div(b.scalar(max), b.add(norm(b, gradients), b.scalar(EPSILON)));
  const factor = minimum(b, quotient, b.scalar(1));
  return gradients.map((g) => b.mul(g, factor));
}

/** Of the gradients over the largest of them, times it: squares of exploded gradients would leave the range of float32. */
function norm(b: Builder, gradients: readonly Value[]): Value {
  const peaks = gradients.map((g) => b.reshape(reduceMax(b, abs(b, g)), []));
  const peak = peaks.reduce((largest, other) => maximum(b, largest, other), b.scalar(TINY));
  const squares = gradients.map((g) => {
    const part = b.div(g, peak);
    return b.reshape(b.sumProduct(part, part), []);
  });
  return b.mul(peak, b.sqrt(squares.reduce((sum, square) => b.add(sum, square))));
}
