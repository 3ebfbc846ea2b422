/**
 * JSON that keeps infinities: they are written as the strings "Infinity" and "-Infinity", and NaN is refused. A text that reads
 * like one of these is written with a tilde before it, so that it is read as the text that it was.
 *
 * @module
 */
import { InternalError } from '../errors';

/** @param indent spaces an indentation; one line when absent. */
export function toJson(value: unknown, indent?: number): string {
  const keepInfinities = (_key: string, inner: unknown) => {
    if (typeof inner === 'string') return lookalike.test(inner) ? `~${inner}` : inner;
    if (typeof inner !== 'number' || Number.isFinite(inner)) return inner;
    if (Number.isNaN(inner)) throw new InternalError('NaN cannot be written as JSON.');
    return String(inner);
  };
  return JSON.stringify(value, keepInfinities, indent);
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, (_key, inner: unknown) => {
    if (inner === 'Infinity') return Number.POSITIVE_INFINITY;
    if (inner === '-Infinity') return Number.NEGATIVE_INFINITY;
    return typeof inner === 'string' && inner[0] === '~' && lookalike.test(inner) ? inner.slice(1) : inner;
  });
}

const lookalike = /^~*-?Infinity$/;
