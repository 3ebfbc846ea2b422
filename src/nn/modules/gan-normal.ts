/**
 * The start of adversarial networks after Isola et al. (2017, arXiv:1611.07004).
 *
 * @module
 */
import type { Initialiser, ParameterSpec } from '../models/definition';

/** Weights from N(0, 0.02), scales of batch normalisation from N(1, 0.02); biases and weights of other starts stay. */
export function ganNormal({ name, initialiser }: ParameterSpec): Initialiser | undefined {
  if (!name.endsWith('.weight') || initialiser.kind === 'normal') return undefined;
  return { kind: 'normal', mean: initialiser.kind === 'constant' ? initialiser.value : 0, deviation: 0.02 };
}
