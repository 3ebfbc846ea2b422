/**
 * A server for each test, with what tests ask of its jobs.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { SavedJob } from '../../src/runtime/server/stored-job';
import { decodeSafetensors } from '../../src/tensor/safetensors';
import { type ServerRig, serverRig } from './server-rig';

export let rig: ServerRig;
beforeEach(async () => {
  rig = await serverRig();
});
afterEach(() => rig.close());

export const finalModel = (id: string, name = 'small') => {
  const models = join(rig.workspace, 'jobs', id, name, 'server', 'simulate_job', 'app_server');
  return readFileSync(join(models, 'FL_global_model.safetensors'));
};
export const numbers = (bytes: Buffer) => [...decodeSafetensors(bytes).tensors.get('w')!.data];
export const audit = () =>
  readFileSync(join(rig.workspace, 'audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
export const states = ({ history }: SavedJob) => history.map(({ state }) => state);
export const runEvent = (job: string, kind: string, more: object = {}) =>
  rig.until((event) => event.kind === 'run' && event.job === job && fits(event.event, { kind, ...more }));
export const fits = (event: object, wanted: object) =>
  Object.entries(wanted).every(([key, value]) => (event as Record<string, unknown>)[key] === value);
export const forever = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
export const both = (own = {}) => Promise.all([rig.site('site-1', own), rig.site('site-2', own)]);
