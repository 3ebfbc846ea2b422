import { ConfigError } from '../errors';
import { isNetwork, type JobModelSpec } from '../jobs/model-spec';
import type { PersonalSpec } from '../jobs/personal-spec';
import { createModel } from '../nn/model';

/**
 * The personal tensors among those of a model.
 *
 * @param names of all tensors of the model
 * @throws ConfigError when a part of a name fits no tensor, and when all tensors or none would be personal
 */
export function personalNames(spec: PersonalSpec, model: JobModelSpec, names: readonly string[]): ReadonlySet<string> {
  const personal = new Set(spec === 'normalisation' ? normalisationNames(model) : namedTensors(spec, names));
  if (personal.size > 0 && personal.size < names.length) return personal;
  const what = personal.size === 0 ? 'No tensor' : 'Every tensor';
  throw new ConfigError(`${what} of the model would be personal, but a federation needs both kinds.`, {
    hint: `workflow.personal chooses among ${sample(names)}.`,
  });
}

function normalisationNames(model: JobModelSpec): string[] {
  if (!isNetwork(model)) {
    throw new ConfigError(
      `A model of kind '${model.kind}' does not say which tensors belong to normalisation layers.`,
      {
        hint: 'Name them: workflow.personal: { names: [norm] }.',
      },
    );
  }
  const { parameters, buffers = [] } = createModel(model);
  const found = [...parameters, ...buffers].filter(({ normalisation }) => normalisation).map(({ name }) => name);
  if (found.length > 0) return found;
  throw new ConfigError(`The network '${model.kind}' with these options has no normalisation layer with tensors.`, {
    hint: "Choose a 'norm' that has some, or name the personal tensors: workflow.personal: { names: […] }.",
  });
}

function namedTensors(spec: Exclude<PersonalSpec, 'normalisation'>, names: readonly string[]): string[] {
  const parts = 'names' in spec ? spec.names : spec.allBut;
  const idle = parts.find((part) => !names.some((name) => name.includes(part)));
  if (idle !== undefined) {
    throw new ConfigError(`workflow.personal: no tensor of the model has '${idle}' in its name.`, {
      hint: `Its tensors are ${sample(names)}.`,
    });
  }
  const isNamed = (name: string) => parts.some((part) => name.includes(part));
  return names.filter((name) => isNamed(name) === 'names' in spec);
}

function sample(names: readonly string[]): string {
  return `${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`;
}
