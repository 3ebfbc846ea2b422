/**
 * JSON that keeps infinities: they are written as the strings "Infinity" and "-Infinity", and NaN is refused.
 *
 * @module
 */
import { InternalError } from '../errors';

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'number' || Number.isFinite(inner)) return inner;
    if (Number.isNaN(inner)) throw new InternalError('NaN cannot be written as JSON.');
    return String(inner);
  });
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    if (inner === 'Infinity') return Number.POSITIVE_INFINITY;
    return inner === '-Infinity' ? Number.NEGATIVE_INFINITY : inner;
  });
}
