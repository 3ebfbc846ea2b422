/**
 * Limits on gradients before the optimiser sees them.
 *
 * @module
 */
import type { Builder } from '../graph/builder';
import type { Value } from '../graph/graph';
import type { GradientClip } from '../jobs/optimiser-spec';

/** Keeps the quotient finite when all gradients are zero, as PyTorch does. */
const EPSILON = 1e-6;

/**
 * `norm`: all gradients times min(1, max / (‖g‖ + 1e-6)), ‖g‖ being the L2 norm of all of them together (Pascanu et al.
 * 2013, arXiv:1211.5063). `value`: each element clamped to [−max, max].
 */
export function clipGradients(b: Builder, gradients: readonly Value[], clip: GradientClip): readonly Value[] {
  if (clip.kind === 'value') return gradients.map((g) => clamp(b, g, clip.max));
  const squares = gradients.map((g) => b.reshape(b.sumProduct(g, g), []));
  const norm = b.sqrt(squares.reduce((sum, square) => b.add(sum, square)));
  const quotient = b.div(b.scalar(clip.max), b.add(norm, b.scalar(EPSILON)));
  // min(1, q) = 1 − relu(1 − q): exactly 1 where the gradients are small enough.
  const factor = b.sub(b.scalar(1), b.relu(b.sub(b.scalar(1), quotient)));
  return gradients.map((g) => b.mul(g, factor));
}

/** g less what stands above max, plus what stands below −max. */
function clamp(b: Builder, g: Value, max: number): Value {
  const excess = (x: Value): Value => b.relu(b.sub(x, b.scalar(max)));
  return b.add(b.sub(g, excess(g)), excess(b.neg(g)));
}
