/**
 * How many sites train at the same time.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { ConfigError } from '../../errors';
import type { JobSpec } from '../../jobs/job-spec';

/**
 * Slots of a simulation, at most one a site. On WebGPU there is one: the provider of onnxruntime 1.30 shares one device in a
 * process, and breaks it, or the process, when two threads use it at a time.
 *
 * @param threads as asked for; as many as cores when omitted
 * @throws ConfigError when more than one is asked for on WebGPU
 */
export function slotCount({ engine, sites }: JobSpec, threads?: number): number {
  const most = Math.min(threads ?? availableParallelism(), sites.length);
  if (engine.provider !== 'webgpu') return most;
  if (threads !== undefined && most > 1) {
    throw new ConfigError(`On the provider 'webgpu' one site trains at a time, but threads is ${threads}.`, {
      hint: 'Leave --threads out, or train on the CPU or with CUDA.',
    });
  }
  return 1;
}
