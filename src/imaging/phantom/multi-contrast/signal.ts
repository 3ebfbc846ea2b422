/**
 * The signal of a tissue in a pulse sequence, from the solution of Bloch's equations for it.
 *
 * Source: Haacke, Brown, Thompson, Venkatesan, Magnetic Resonance Imaging: Physical Principles and Sequence Design (Wiley, 1999),
 * the chapters on spin echo and inversion recovery; both with perfect pulses and an echo that is short beside the repetition.
 *
 * @module
 */
import type { Tissue } from './tissues';

/** Times in ms: between two excitations, from excitation to echo, from inversion to excitation. */
export type Sequence =
  | { readonly kind: 'spin-echo'; readonly repetition: number; readonly echo: number }
  | {
      readonly kind: 'inversion-recovery';
      readonly repetition: number;
      readonly echo: number;
      readonly inversion: number;
    };

/**
 * Spin echo: PD · (1 − e^(−TR/T1)) · e^(−TE/T2).
 * Inversion recovery: PD · |1 − 2·e^(−TI/T1) + e^(−TR/T1)| · e^(−TE/T2), the magnitude.
 */
export function signalOf(tissue: Tissue, sequence: Sequence): number {
  const { t1, t2, protonDensity } = tissue;
  const { repetition, echo } = sequence;
  const left = Math.exp(-repetition / t1);
  const along = sequence.kind === 'spin-echo' ? 1 - left : Math.abs(1 - 2 * Math.exp(-sequence.inversion / t1) + left);
  return protonDensity * along * Math.exp(-echo / t2);
}
