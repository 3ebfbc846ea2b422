import { ConfigError } from '../errors';
import { personalNames } from '../executors/personal-names';
import { createFilter } from '../filters/registry';
import { payloadsAt } from '../jobs/job-checks';
import type { JobSpec } from '../jobs/job-spec';
import { isNetwork } from '../jobs/model-spec';
import { checkFiles } from '../jobs/named-files';
import { isOwn } from '../jobs/own-part';
import { createModel } from '../nn/model';
import { stateTensors } from '../nn/model-state';

/**
 * What the options alone cannot tell, before anything runs: whether training code and checkpoints are there, and, of each
 * filter, made once, what it accepts.
 *
 * @param folder what relative paths of the job start from.
 * @throws ConfigError naming the filter or the file.
 */
export function checkParts(job: JobSpec, folder: string): void {
  checkFiles(job, folder);
  checkPersonal(job);
  checkFilters(job);
}

/** Those of a file are known where it is read. @throws ConfigError when the personal tensors do not fit the model */
function checkPersonal({ workflow, model }: JobSpec): void {
  if (isOwn(workflow) || workflow.kind !== 'fed-avg' || !workflow.personal || model.kind === 'checkpoint') return;
  const names = isNetwork(model)
    ? stateTensors(createModel(model)).map(({ name }) => name)
    : Object.keys(model.tensors);
  personalNames(workflow.personal, model, names);
}

/** @throws ConfigError naming the first filter that does not accept what passes it. */
export function checkFilters(job: JobSpec): void {
  for (const [i, placement] of job.filters.entries()) {
    const { name, accepts } = createFilter(placement.filter);
    const refused = payloadsAt(placement, job).filter((kind) => !accepts.includes(kind));
    if (refused.length === 0) continue;
    throw new ConfigError(
      `filters.${i}: filter '${name}' at ${placement.at} accepts ${accepts.join(', ')}, but this job sends ${refused.join(', ')} there.`,
      { hint: "Name the tasks it is meant for with 'tasks', set trainer.transfer, or let the filter accept them." },
    );
  }
}
