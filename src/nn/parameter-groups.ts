/**
 * Which parameters of a model are trained, and under which settings.
 *
 * @module
 */
import { z } from 'zod';
import { ConfigError } from '../errors';
import {
  type OptimiserOptions,
  type OptimiserSettings,
  type ParameterGroup,
  type ParameterGroupOptions,
  parameterGroup,
} from '../jobs/optimiser-spec';
import { parseOptions } from '../util/parse-options';
import type { Model, ParameterSpec } from './models/definition';
import { optimiserSettings } from './optimisers/optimiser';

/** How a model is trained. */
export interface ModelTraining {
  readonly model: Model;
  readonly optimiser: OptimiserOptions;
  /** Parameters that differ; none by default. */
  readonly groups?: readonly ParameterGroupOptions[];
}

/** Trained parameters that share all settings. */
export interface TrainedGroup {
  readonly settings: OptimiserSettings;
  /** Multiple of the step's learning rate. */
  readonly learningRateFactor: number;
  /** In the order of the model's state. */
  readonly parameters: readonly ParameterSpec[];
}

/**
 * The trained parameters, in groups; frozen ones are in none.
 *
 * @throws ConfigError when options are wrong, a group matches no parameter of its own, or nothing is left to train
 */
export function trainedGroups({ model, optimiser, groups = [] }: ModelTraining): readonly TrainedGroup[] {
  const settings = optimiserSettings(optimiser);
  const checked = parseOptions('the parameter groups', z.array(parameterGroup), groups);
  const members = assign(model, checked);
  const found = [undefined, ...checked].flatMap((group, i) => {
    const parameters = members[i]!;
    if (group?.frozen || parameters.length === 0) return [];
    const weightDecay = group?.weightDecay ?? settings.weightDecay;
    return [{ settings: { ...settings, weightDecay }, learningRateFactor: group?.learningRateFactor ?? 1, parameters }];
  });
  if (found.length === 0) throw new ConfigError(`The groups leave no parameter of '${model.kind}' to train.`);
  return found;
}

/** The parameters in no group, then those of each group. */
function assign(model: Model, groups: readonly ParameterGroup[]): readonly (readonly ParameterSpec[])[] {
  const members: ParameterSpec[][] = [[], ...groups.map(() => [])];
  const patterns = groups.map(({ match }) => new RegExp(match, 'u'));
  for (const spec of model.parameters) {
    members[1 + patterns.findIndex((pattern) => pattern.test(spec.name))]!.push(spec);
  }
  for (const [i, { match }] of groups.entries()) {
    if (members[i + 1]!.length > 0) continue;
    throw new ConfigError(`The parameter group /${match}/ has no parameter of '${model.kind}'.`, {
      hint: `A name belongs to the first group that matches it; names look like '${model.parameters[0]?.name}'.`,
    });
  }
  return members;
}
