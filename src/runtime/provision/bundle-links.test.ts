import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { ada, bundled, file, folder, input, trusting } from '../../../test/support/bundle-rig';
import { ConfigError } from '../../errors';
import { parseJob } from '../../jobs/job-spec';
import { nodeDisk } from '../../util/node-disk';
import { createBundle, readBundle } from './bundle';

/** A folder beside the job's, by its real path. */
let outside: string;
beforeEach(async () => {
  outside = await realpath(await mkdtemp(join(tmpdir(), 'outside-')));
  await writeFile(join(outside, 'patients.csv'), 'not to be sent');
  return () => rm(outside, { recursive: true, force: true });
});

describe('a link out of the folder of a job is refused', () => {
  const command = { kind: 'command', command: ['python3', 'lib/patients.csv'] };
  it.each([
    ['as an included file', 'helper.js', {}, ['helper.js'], 'helper.js'],
    ['above an included file', 'lib', {}, ['lib/patients.csv'], 'lib/patients.csv'],
    ['as the script', 'main.js', { trainer: { kind: 'script', script: './main.js' } }, [], './main.js'],
    ['as a module', 'parts.js', { modules: ['parts.js'] }, [], 'parts.js'],
    ['above a file that the training command names', 'lib', { trainer: command }, [], 'lib/patients.csv'],
    // Whatever a site runs goes to everybody.
    [
      'as a module that is a model to start from, too',
      'parts.js',
      { modules: ['parts.js'], model: { kind: 'checkpoint', file: 'parts.js' } },
      [],
      'parts.js',
    ],
  ])('%s, with where it leads and what to do', async (_, link, changes, include, named) => {
    const target = join(outside, 'patients.csv');
    await symlink(link === 'lib' ? outside : target, join(folder, link));
    const error: unknown = await bundled(parseJob({ ...input, ...changes }), { include }).catch((caught) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      message: `The job's file '${named}' leads by a link to '${target}', outside of the job's folder '${await realpath(folder)}'.`,
      hint: expect.stringContaining("copy the file into the job's folder"),
    });
  });
});

describe('a link is followed', () => {
  const contentOf = async (bundleFile: string, path: string) => {
    const bundle = await readBundle(await readFile(bundleFile), trusting('server'));
    const { to } = bundle.files.find((entry) => entry.path === path)!;
    return [to, (await bundle.read(path)).toString()];
  };

  it('that leads to another file of the job', async () => {
    await file('shared/helper.js', 'module.exports = 2;\n');
    await symlink('shared', join(folder, 'lib'));
    const { file: bundle } = await bundled(parseJob(input), { include: ['lib/helper.js'] });
    expect(await contentOf(bundle, 'lib/helper.js')).toEqual(['all', 'module.exports = 2;\n']);
  });

  it("that the job's own folder is reached by", async () => {
    await file('train.js', 'module.exports = 1;\n');
    const link = join(outside, 'job');
    await symlink(folder, link);
    const written = await createBundle(parseJob(input), { folder: link, kit: ada }, join(outside, 'b'), nodeDisk);
    expect(await contentOf(written.file, 'train.js')).toEqual(['all', 'module.exports = 1;\n']);
  });

  it('to tensors that only the server reads, since they may lie anywhere', async () => {
    await mkdir(join(folder, 'models'));
    await writeFile(join(outside, 'start.safetensors'), 'tensors');
    await symlink(join(outside, 'start.safetensors'), join(folder, 'models', 'start.safetensors'));
    const model = { kind: 'checkpoint', file: 'models/start.safetensors' };
    const { file: bundle } = await bundled(parseJob({ ...input, model }));
    expect(await contentOf(bundle, 'models/start.safetensors')).toEqual(['server', 'tensors']);
  });
});
