/**
 * Whether there is ever room for a job: a server keeps one that asks for more than a site has waiting for ever.
 *
 * @module
 */
import type { JobSpec } from '../jobs/job-spec';
import type { SiteResources } from '../protocol/wire/messages';
import { counted } from '../util/counted';
import type { Finding } from './machine-check';

export interface ResourceCheckOptions {
  readonly job: Pick<JobSpec, 'resources'>;
  readonly offered: Pick<SiteResources, 'memoryMb' | 'gpus'>;
  /** The site whose settings say what is offered. @default none: this machine stands for a site that nobody has set up yet */
  readonly site?: string;
}

/** A line for the memory and one for the GPUs. Where no site is set up yet, too little is a warning: the simulator does not ask. */
export function resourceFindings({ job, offered, site }: ResourceCheckOptions): readonly Finding[] {
  const { memoryMb, gpus } = job.resources;
  const status = site === undefined ? 'warning' : 'problem';
  const where = site === undefined ? 'this machine, as a site,' : `'${site}'`;
  const waits = 'a server would keep it waiting for ever';
  const memory: Finding =
    memoryMb <= offered.memoryMb
      ? {
          name: 'job memory',
          status: 'ok',
          message: memoryMb === 0 ? 'asks for none in particular' : `${memoryMb} MB of ${offered.memoryMb}`,
        }
      : {
          ...{ name: 'job memory', status },
          message: `the job asks for ${memoryMb} MB at each site, and ${where} has ${offered.memoryMb}: ${waits}`,
          hint: `Lower resources.memoryMb in the job, or take a machine with more memory${site === undefined ? '.' : '; memoryMb in site.yaml says what a site offers.'}`,
        };
  const ofGpus: Finding =
    gpus <= offered.gpus
      ? { name: 'job GPUs', status: 'ok', message: gpus === 0 ? 'asks for none' : `${gpus} of ${offered.gpus}` }
      : {
          ...{ name: 'job GPUs', status },
          message: `the job asks for ${counted(gpus, 'GPU')} at each site, and ${where} offers ${offered.gpus}: ${waits}`,
          hint: gpuHint(gpus),
        };
  return [memory, ofGpus];
}

function gpuHint(gpus: number): string {
  if (gpus > 1) return 'Lower resources.gpus in the job: a site offers one GPU at most.';
  return "Set resources.gpus to 0 in the job, or name the GPU as 'provider' in site.yaml (webgpu, cuda): only then does a site offer one.";
}
