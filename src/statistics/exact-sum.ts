import { NonFiniteError } from '../errors';

/**
 * A sum of doubles without rounding, kept as a few doubles that do not overlap (Shewchuk 1997, "Adaptive precision
 * floating-point arithmetic and fast robust geometric predicates"). Sums of sums are exact too, so the sum over all sites is
 * that of the pooled values to the last bit, whatever site a value lies at.
 */
export class ExactSum {
  readonly #parts: number[] = [];

  /** @param parts of another sum: what {@link ExactSum.parts} gave. */
  constructor(parts: Iterable<number> = []) {
    for (const part of parts) this.add(part);
  }

  /** @throws NonFiniteError when the sum leaves the range of doubles. */
  add(value: number): void {
    const parts = this.#parts;
    let x = value;
    let kept = 0;
    for (let i = 0; i < parts.length; i++) {
      const y = parts[i]!;
      const high = x + y;
      // What the addition lost, exactly: the smaller summand less the part of it that the sum holds.
      const low = Math.abs(x) < Math.abs(y) ? x - (high - y) : y - (high - x);
      if (low !== 0) parts[kept++] = low;
      x = high;
    }
    if (!Number.isFinite(x)) {
      throw new NonFiniteError('A sum of values leaves the range of double precision, ±1.8e308.', {
        hint: 'Look for values that stand for "missing", such as 1e308, or choose another unit.',
      });
    }
    parts.length = kept;
    parts.push(x);
  }

  /** The exact sum, rounded once, to nearest and to even. */
  value(): number {
    const parts = this.#parts;
    let i = parts.length - 1;
    if (i < 0) return 0;
    let high = parts[i]!;
    let low = 0;
    while (i > 0 && low === 0) {
      const x = high;
      const y = parts[--i]!;
      high = x + y;
      low = y - (high - x);
    }
    // Half a unit exactly: what lies below decides, and the addition above did not see it.
    if (i > 0 && Math.sign(low) === Math.sign(parts[i - 1]!)) {
      const doubled = low * 2;
      const next = high + doubled;
      if (next - high === doubled) return next;
    }
    return high;
  }

  /** Doubles whose exact sum is this sum, at least one, from the smallest to the largest. */
  parts(): Float64Array {
    return Float64Array.from(this.#parts.length === 0 ? [0] : this.#parts);
  }
}
