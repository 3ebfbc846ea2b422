import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveEarlierRun, lockFolder, runFolder } from './run-folder';

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'consilium-'));
});
afterEach(() => rm(workspace, { recursive: true }));

describe('the folder of a run', () => {
  it('never takes the place of an earlier run of the same name', async () => {
    const folder = runFolder(workspace, 'job');
    expect(await archiveEarlierRun(folder)).toBeUndefined();
    for (const number of [1, 2]) {
      await mkdir(folder.root);
      await writeFile(join(folder.root, 'run'), String(number));
      expect(await archiveEarlierRun(folder)).toBe(join(workspace, `job.${number}`));
    }
    expect(existsSync(join(workspace, 'job.1', 'run'))).toBe(true);
  });

  it('is refused while a live process holds it, and free again afterwards', async () => {
    const folder = runFolder(workspace, 'job');
    const unlock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${process.pid}`);
    await unlock();
    await (await lockFolder(folder))();
  });

  it('is taken over from a process that was killed', async () => {
    const folder = runFolder(workspace, 'job');
    await writeFile(`${folder.root}.lock`, '999999999');
    await (await lockFolder(folder))();
  });

  it('is taken over when the number of the killed process was given to another one', async () => {
    const folder = runFolder(workspace, 'job');
    await writeFile(`${folder.root}.lock`, `${process.pid} 1`);
    await (await lockFolder(folder))();
  });

  it('cannot take the place of a file', async () => {
    const folder = runFolder(workspace, 'job');
    await writeFile(folder.root, '');
    await expect(archiveEarlierRun(folder)).rejects.toThrow('is a file');
  });

  it('cannot be made below a file', async () => {
    await writeFile(join(workspace, 'file'), '');
    const folder = runFolder(join(workspace, 'file'), 'job');
    await expect(lockFolder(folder)).rejects.toMatchObject({ tag: 'WorkspaceError' });
  });
});
