/**
 * Networks that draw their parameters a second time, after construction.
 *
 * @module
 */
import type { Draw, Initialiser, ParameterSpec } from '../models/definition';
import { type Module, parametersOf, type StateSpec } from './module';

/** One number that construction draws for nothing. */
export const unusedDraw: Draw = { name: '', initialiser: { kind: 'uniform', fanIn: 1 } };

/**
 * The module, with draws after those of its construction, in state order.
 *
 * @param initialiserOf the new start of a parameter; undefined leaves it as constructed
 */
export function redrawn(module: Module, initialiserOf: (parameter: ParameterSpec) => Initialiser | undefined): Module {
  const anew = new Map<string, Initialiser>();
  for (const parameter of parametersOf(module)) {
    const initialiser = initialiserOf(parameter);
    if (initialiser) anew.set(parameter.name, initialiser);
  }
  const restart = (spec: StateSpec): StateSpec => {
    if ('buffer' in spec) return spec;
    const initialiser = anew.get(spec.parameter.name);
    return initialiser ? { parameter: { ...spec.parameter, initialiser } } : spec;
  };
  const draws = [...anew].map(([name, initialiser]): Draw => ({ name, initialiser }));
  return { ...module, state: module.state.map(restart), draws: [...module.draws, ...draws] };
}
