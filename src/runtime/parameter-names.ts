import { personalNames } from '../executors/personal-names';
import type { JobSpec } from '../jobs/job-spec';
import { isNetwork, type JobModelSpec } from '../jobs/model-spec';
import { isOwn } from '../jobs/own-part';
import { createModel } from '../nn/model';
import type { NamedTensors } from '../tensor/tensor';

/** How PyTorch's normalisation layers call what they count and measure. */
const statistics = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/**
 * Names of the tensors that training moves. The others are statistics and counters of normalisation layers: a network knows
 * them; among loose tensors they are the integers, and those with the names that PyTorch gives them.
 */
export function parameterNames(spec: JobModelSpec, tensors: NamedTensors): ReadonlySet<string> {
  if (isNetwork(spec)) return new Set(createModel(spec).parameters.map(({ name }) => name));
  const trained = [...tensors].filter(([name, { dtype }]) => dtype.startsWith('float') && !statistics.test(name));
  return new Set(trained.map(([name]) => name));
}

/** Names of the tensors that each site keeps for itself; none where the job says nothing of them. */
export function personalOf({ workflow, model }: JobSpec, tensors: NamedTensors): ReadonlySet<string> {
  if (isOwn(workflow) || workflow.kind !== 'fed-avg' || workflow.personal === undefined) return new Set();
  return personalNames(workflow.personal, model, [...tensors.keys()]);
}
