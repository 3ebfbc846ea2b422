import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestFederation, testFederation } from '../../test/support/federation';
import { nodeDisk } from '../util/node-disk';
import { bindWorkspace } from './bind-workspace';
import { startSite } from './client/start-site';
import { renew } from './provision/provision';
import { startServer } from './server/start-server';

let federation: TestFederation;
let other: TestFederation;
let folder: string;
let workspace: string;
beforeAll(async () => {
  const server = { hosts: ['127.0.0.1'] };
  federation = await testFederation({ server });
  other = await testFederation({ server });
  await writeFile(join(federation.folder('server'), 'server.yaml'), 'host: 127.0.0.1\nport: 0\nmetricsPort: null\n');
  folder = await mkdtemp(join(tmpdir(), 'bind-workspace-'));
});
beforeEach(async () => {
  workspace = await mkdtemp(join(folder, 'workspace-'));
});
afterAll(async () => {
  for (const one of [folder, dirname(federation.out), dirname(other.out)])
    await rm(one, { recursive: true, force: true });
});

const site = async (name: string, where = workspace) => {
  const started = await startSite({ kit: federation.folder(name), workspace: where });
  await started.stop();
};
const server = async (where = workspace) => {
  const started = await startServer({ kit: federation.folder('server'), workspace: where });
  await started.stop();
};
const auditOf = (where: string) => readFile(join(where, 'audit.jsonl'), 'utf8');

describe('a workspace', () => {
  it('is that of the first site that starts in it: another one is refused before it writes anything there', async () => {
    await site('site-2');
    const before = await auditOf(workspace);
    await expect(site('site-1')).rejects.toMatchObject({
      tag: 'WorkspaceError',
      message: `The workspace '${workspace}' is that of the site 'site-2' of the project 'demo'; the kit '${federation.folder('site-1')}' is of the site 'site-1' of the project 'demo'.`,
      hint: expect.stringMatching(/^Choose another --workspace, or start the kit of the site 'site-2'\./),
    });
    expect(await auditOf(workspace)).toBe(before);
    await site('site-2');
    expect((await auditOf(workspace)).length).toBeGreaterThan(before.length);
  });

  it('of a site is no workspace for a server, nor the other way round', async () => {
    await site('site-1');
    await expect(server()).rejects.toThrow("is that of the site 'site-1'");
    const servers = join(workspace, 'server');
    await server(servers);
    await server(servers);
    await expect(site('site-1', servers)).rejects.toThrow("is that of the server 'server' of the project 'demo'");
  });

  it('of a project is none for the same names in another project, also one that is called the same', async () => {
    await bindWorkspace(workspace, await federation.kit('site-1'), nodeDisk);
    await expect(bindWorkspace(workspace, await other.kit('site-1'), nodeDisk)).rejects.toThrow(
      "is that of the site 'site-1' of the project 'demo', another project of that name; the kit",
    );
  });

  it('goes on with a renewed kit', async () => {
    await site('site-1');
    await renew(federation.out, ['site-1']);
    await site('site-1');
  });

  it('of an earlier release, which does not say whose it is, becomes that of the kit that starts in it', async () => {
    await site('site-1');
    await rm(join(workspace, 'owner.json'));
    await site('site-1');
    await expect(site('site-2')).rejects.toThrow("is that of the site 'site-1'");
  });

  it("whose owner cannot be read is nobody's", async () => {
    await writeFile(join(workspace, 'owner.json'), '{"version":1,"kind":"site"');
    await expect(site('site-1')).rejects.toMatchObject({
      tag: 'DataError',
      message: expect.stringContaining('is damaged: it says whose workspace it is'),
      hint: expect.stringContaining('remove the file'),
    });
  });
});
