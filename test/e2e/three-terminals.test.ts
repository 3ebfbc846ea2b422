import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeMultiContrastPhantom } from '../../src/imaging/phantom/multi-contrast/write-multi-contrast-phantom';
import { loadModelFile } from '../../src/tensor/model-file';
import { runCommand, startCommand } from '../support/command';
import { freePort } from '../support/free-port';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consilium-terminals-'));
  const phantom = { sites: 2, patientsPerSite: 3, shape: [32, 32, 8], seed: 0 } as const;
  await writeMultiContrastPhantom({ out: join(folder, 'data'), ...phantom });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As in the published system: a terminal for the server, and one for each site. */
it('a server and sites of a translation job are started by the arguments of the published system, and models of their own stay at the sites', async () => {
  const port = String(await freePort());
  const workspace = join(folder, 'workspace');
  const small = ['--n_rounds', '1', '--n_epochs', '1', '--base', '4', '--batch_size', '8'];
  const server = startCommand(
    ...['run-server', port, 'fedbadam', '--sites', 'site-1', 'site-2', '--workspace', workspace, '--json', ...small],
  );
  try {
    const kits = join(workspace, 'mri-federation', 'kits');
    await untilSaid(server, 'listens at port');
    const client = (site: string, strategy: string) =>
      runCommand(...['run-client', join(folder, 'data', site), site, `127.0.0.1:${port}`, strategy, '--kits', kits]);
    const second = client('site-2', 'fedbadam');
    const other = await client('site-1', 'fedavg');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("The server runs 'fedbadam', but 'fedavg' was asked for.");
    const sites = await Promise.all([client('site-1', 'fedbadam'), second]);
    expect(sites.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
      Array(2).fill({ code: 0, stderr: '' }),
    );
    const { code, stdout, stderr } = await server.finished;
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'finished', rounds: 1 });
    const run = join(workspace, 'mri_fedbadam/server/simulate_job');
    expect(existsSync(join(run, 'report.html'))).toBe(true);
    const models = await readdir(workspace, { recursive: true });
    const own = models.filter((file) => basename(file) === 'personal_model.safetensors').sort();
    expect(own).toEqual(['site-1', 'site-2'].map((site) => expect.stringContaining(`kits/${site}/workspace/jobs/`)));
    const [atFirst, atSecond] = await Promise.all(own.map((file) => tensorsOf(join(workspace, file))));
    const global = await tensorsOf(join(run, 'app_server/FL_global_model.safetensors'));
    for (const name of global.keys()) {
      if (!name.includes('norm')) expect(atFirst!.get(name), name).toEqual(global.get(name));
      else if (name.endsWith('running_mean')) expect(atFirst!.get(name), name).not.toEqual(atSecond!.get(name));
    }
  } finally {
    server.process.kill('SIGKILL');
  }
});

it('says what a site lacks before it dials', async () => {
  const nothing = await runCommand('run-client', folder, 'site-1', '8084');
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toContain("has no folder 'train'");
  const unknown = await runCommand('run-client', join(folder, 'data/site-1'), 'nobody', '8084', '--kits', folder);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(/There is no startup kit in '.*nobody'/);
});

const tensorsOf = async (file: string) => (await loadModelFile(file)).tensors;

function untilSaid({ process }: ReturnType<typeof startCommand>, text: string): Promise<void> {
  let said = '';
  return new Promise((resolve, reject) => {
    process.stderr!.on('data', (piece: string) => {
      said += piece;
      if (said.includes(text)) resolve();
    });
    process.once('close', () => reject(new Error(`It ended before it said '${text}': ${said}`)));
  });
}
