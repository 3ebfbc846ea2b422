import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ada, atServer, file, folder, input, trusting } from '../../../test/support/bundle-rig';
import { parseJob } from '../../jobs/job-spec';
import type { Disk } from '../../util/disk';
import { nodeDisk } from '../../util/node-disk';
import { createBundle, readBundle, unpackBundle } from './bundle';

describe('a bundle is unpacked', () => {
  it('into a folder of its own that nobody else reads, in place of what was there', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'train.js'), 'not to be touched');
    const job = join(folder, 'job');
    await mkdir(job);
    await chmod(job, 0o755);
    await symlink(outside, join(job, 'lib'));
    await symlink(join(outside, 'train.js'), join(job, 'train.js'));
    await symlink(outside, `${job}.unpacking`);
    await unpackBundle(await atServer(), job, nodeDisk);
    expect((await readdir(job)).sort()).toEqual(['job.yaml', 'train.js']);
    expect((await stat(job)).mode & 0o777).toBe(0o700);
    expect((await stat(join(job, 'train.js'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(outside, 'train.js'), 'utf8')).toBe('not to be touched');
    expect(await readFile(join(job, 'train.js'), 'utf8')).toBe('module.exports = 1;\n');
  });

  it('piece by piece, however large its files are', async () => {
    const size = 20 * 2 ** 20;
    await writeFile(join(folder, 'big.safetensors'), Buffer.alloc(size, 7));
    await file('train.js', '');
    let most = 0;
    const watched: Disk = {
      ...nodeDisk,
      async open(...opening) {
        const file = await nodeDisk.open(...opening);
        const note = (bytes: number) => {
          most = Math.max(most, bytes);
        };
        return {
          ...file,
          read(into, at) {
            note(into.byteLength);
            return file.read(into, at);
          },
          write(parts, at) {
            note(parts.reduce((sum, part) => sum + part.byteLength, 0));
            return file.write(parts, at);
          },
        };
      },
    };
    const job = parseJob({ ...input, model: { kind: 'checkpoint', file: 'big.safetensors' } });
    const written = await createBundle(job, { folder, kit: ada }, join(folder, 'big.bundle'), watched);
    const handle = await watched.open(written.file, 'read');
    await unpackBundle(await readBundle(handle, trusting('server')), join(folder, 'job'), watched);
    await handle.close();
    expect((await readFile(join(folder, 'job', 'big.safetensors'))).equals(Buffer.alloc(size, 7))).toBe(true);
    expect(most).toBe(2 ** 20);
  });
});
