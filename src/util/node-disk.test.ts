import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { testDisk } from '../../test/conformance/disk';
import { nodeDisk } from './node-disk';

let folder: string;
afterEach(() => rm(folder, { recursive: true, force: true }));

testDisk('this machine', async () => {
  folder = await mkdtemp(join(tmpdir(), 'node-disk-'));
  return { disk: nodeDisk, folder };
});
