import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rigJob, type ServerRig, serverRig } from '../../../test/support/server-rig';
import { decodeSafetensors } from '../../tensor/safetensors';
import { stateOf } from './stored-job';

let rig: ServerRig;
beforeEach(async () => {
  rig = await serverRig();
});
afterEach(() => rig.close());

describe('a server', () => {
  it('runs a submitted job with its sites to the end', async () => {
    await rig.start();
    await Promise.all([rig.site('site-1'), rig.site('site-2')]);
    const { id } = await rig.submit(rigJob());
    const job = await rig.ended(id);
    expect(job.history.map(({ state }) => state)).toEqual(['submitted', 'queued', 'running', 'finished']);
    expect(stateOf(job)).toBe('finished');
    const models = join(rig.workspace, 'jobs', id, 'small', 'server', 'simulate_job', 'app_server');
    const { tensors } = decodeSafetensors(readFileSync(join(models, 'FL_global_model.safetensors')));
    expect([...tensors.get('w')!.data]).toEqual([3, 3, 3, 3]); // Three rounds, each site moves by 1.
  });
});
