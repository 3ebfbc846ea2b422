/**
 * Control variates on their way (SCAFFOLD): tensors beside the model's, one for each parameter, under names of their own. So
 * whatever handles tensors handles them too: filters, journal, checkpoints, transport.
 *
 * @module
 */
import type { NamedTensors } from '../tensor/tensor';

const prefix = 'control/';

/** The tensors with control variates beside them: `control/<parameter>`. */
export function joinControls(tensors: NamedTensors, controls: NamedTensors): NamedTensors {
  return new Map([...tensors, ...[...controls].map(([name, tensor]) => [prefix + name, tensor] as const)]);
}

export interface SplitTensors {
  readonly model: NamedTensors;
  /** By parameter. */
  readonly controls: NamedTensors;
}

/** What {@link joinControls} put together. */
export function splitControls(tensors: NamedTensors): SplitTensors {
  const isControl = (name: string) => name.startsWith(prefix);
  return {
    model: new Map([...tensors].filter(([name]) => !isControl(name))),
    controls: new Map(
      [...tensors].filter(([name]) => isControl(name)).map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    ),
  };
}
