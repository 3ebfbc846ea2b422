/**
 * States of several parts of an executor as one: each tensor has the name of its part before its own.
 *
 * @module
 */
import type { NamedTensors, Tensor } from '../tensor/tensor';

/** `<part>/<tensor>` of all parts that have a state; `undefined` when none has. */
export function joinStates(parts: Readonly<Record<string, NamedTensors | undefined>>): NamedTensors | undefined {
  const all = Object.entries(parts).flatMap(([part, state]) =>
    [...(state ?? [])].map(([name, tensor]): [string, Tensor] => [`${part}/${name}`, tensor]),
  );
  return all.length === 0 ? undefined : new Map(all);
}

/** What {@link joinStates} put together. */
export function splitStates<K extends string>(
  state: NamedTensors | undefined,
  parts: readonly K[],
): Readonly<Partial<Record<K, NamedTensors>>> {
  const found: Partial<Record<K, NamedTensors>> = {};
  for (const part of parts) {
    const prefix = `${part}/`;
    const own = [...(state ?? [])].filter(([name]) => name.startsWith(prefix));
    if (own.length > 0) found[part] = new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
  return found;
}
