/**
 * Whose workspace it is. Audit log, jobs and the account of privacy in it are those of one server or site of one project: another
 * one that went on with them would mix two accounts, without a word.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { DataError, WorkspaceError } from '../errors';
import { sha256Hex } from '../protocol/wire/messages';
import { writeFileAtomic } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { parseJsonFile } from './provision/json-file';
import type { Kit } from './provision/kit';

const savedOwner = z.strictObject({
  version: z.literal(1),
  kind: z.enum(['server', 'site']),
  name: z.string(),
  project: z.string(),
  /** SHA-256 of the certificate of the project's authority. */
  ca: sha256Hex,
});
type Owner = z.output<typeof savedOwner>;

/**
 * Lets the kit's server or site use the workspace: the first one that does makes it its own for good. Renewed kits have the same
 * name and the same authority, and go on. A workspace of an earlier release says nothing of its owner, and is taken over.
 *
 * @param kit of a server or a site
 * @throws WorkspaceError when it is the workspace of another; DataError when the file that says so is damaged.
 */
export async function bindWorkspace(
  workspace: string,
  kit: Pick<Kit, 'kind' | 'name' | 'project' | 'caFingerprint' | 'folder'>,
  disk: Disk,
): Promise<void> {
  const { kind, name, project, caFingerprint: ca } = kit;
  const file = join(workspace, 'owner.json');
  const owner = (await disk.exists(file)) ? await readOwner(file, disk) : undefined;
  if (!owner) {
    const mine = savedOwner.parse({ version: 1, kind, name, project, ca });
    await writeFileAtomic(file, `${JSON.stringify(mine)}\n`, { disk });
    return;
  }
  if (owner.kind === kind && owner.name === name && owner.ca === ca) return;
  const other = owner.ca !== ca && owner.project === project ? ', another project of that name' : '';
  throw new WorkspaceError(
    `The workspace '${workspace}' is that of ${inWords(owner)}${other}; the kit '${kit.folder}' is of ${inWords({ kind, name, project })}.`,
    {
      hint: `Choose another --workspace, or start the kit of the ${owner.kind} '${owner.name}'. Never copy a workspace to begin another: it holds the audit log and the account of privacy of one.`,
    },
  );
}

function inWords({ kind, name, project }: Pick<Kit, 'kind' | 'name' | 'project'>): string {
  return `the ${kind} '${name}' of the project '${project}'`;
}

async function readOwner(file: string, disk: Disk): Promise<Owner> {
  try {
    return parseJsonFile(await disk.readFile(file), savedOwner, `'${file}'`);
  } catch (cause) {
    throw new DataError(`'${file}' is damaged: it says whose workspace it is.`, {
      cause,
      file,
      hint: 'If it is the workspace of this kit, remove the file and start again; if not, choose another --workspace.',
    });
  }
}
