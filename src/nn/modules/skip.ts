/**
 * Skip connections: feature maps of one level side by side.
 *
 * @module
 */
import type { Builder } from '../../graph/builder';
import { concat, padSpatial } from '../../graph/functions';
import type { Value } from '../../graph/graph';
import { compose, type Module } from './module';

/** x and what `submodule` makes of it, as channels one after the other. */
export function skipConnection(submodule: Module): Module {
  return compose({ submodule }, (call, { b }, x) => concat(b, [x!, call('submodule', x!)]));
}

/**
 * x padded to the lengths of `skip`, which are those of x or more.
 *
 * @param before gives, of the elements that an axis lacks, how many stand before it
 */
export function padTo(
  b: Builder,
  x: Value,
  skip: Value,
  mode: 'zero' | 'edge',
  before: (lack: number) => number,
): Value {
  const lacks = x.shape.slice(2).map((n, i) => skip.shape[i + 2]! - n);
  return padSpatial(
    b,
    x,
    mode,
    lacks.map(before),
    lacks.map((lack) => lack - before(lack)),
  );
}
