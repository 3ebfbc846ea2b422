import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kit, type KitKind, loadKit } from '../../src/runtime/provision/kit';
import { type ProjectInput, projectSpec } from '../../src/runtime/provision/project';
import { provision } from '../../src/runtime/provision/provision';

/** A small project: two sites, a researcher, an admin. */
export const smallProject: ProjectInput = {
  version: 1,
  project: 'demo',
  server: { hosts: ['localhost', '127.0.0.1'], port: 8443 },
  sites: [
    { name: 'site-1', org: 'North Hospital' },
    { name: 'site-2', org: 'South Hospital' },
  ],
  admins: [
    { name: 'ada', org: 'North Hospital', role: 'researcher' },
    { name: 'grace', org: 'Operator', role: 'admin' },
    { name: 'keeper', org: 'South Hospital', role: 'site-admin' },
  ],
};

export interface TestFederation {
  /** The operator's folder. */
  readonly out: string;
  readonly caFingerprint: string;
  folder(name: string): string;
  kit(name: string, kind?: KitKind): Promise<Kit>;
}

/** A provisioned project in a new folder of its own, for the caller to remove. @param changes to {@link smallProject} */
export async function testFederation(changes: Partial<ProjectInput> = {}, now = Date.now()): Promise<TestFederation> {
  const out = join(await mkdtemp(join(tmpdir(), 'federation-')), 'out');
  const { caFingerprint, kits } = await provision(projectSpec.parse({ ...smallProject, ...changes }), out, { now });
  const folder = (name: string) => join(out, 'kits', name);
  const kindOf = (name: string) => kits.find((kit) => kit.name === name)?.kind ?? 'site';
  return { out, caFingerprint, folder, kit: (name, kind = kindOf(name)) => loadKit(folder(name), kind, { now }) };
}
