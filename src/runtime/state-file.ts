/**
 * Files of a site's states: one a round, sealed with a checksum, and beside it an empty file that says that it was written, so
 * that it is missed when it is lost. The thread that writes them need not be the one that trains.
 *
 * @module
 */
import { join } from 'node:path';
import { DataError, isConsiliumError } from '../errors';
import { openSealed, seal } from '../tensor/sealed-safetensors';
import type { NamedTensors } from '../tensor/tensor';
import { codeOf, namesIn, workspaceError, writeFileAtomic } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { nodeDisk } from '../util/node-disk';

/** Where the state after a round lies. */
export function stateFile(folder: string, round: number): string {
  return join(folder, `round-${String(round).padStart(6, '0')}.safetensors`);
}

/** Seals the parts and writes them as a whole. Durable when it resolves. @throws WorkspaceError. */
export async function writeStateFile(path: string, parts: readonly Uint8Array[], disk: Disk = nodeDisk): Promise<void> {
  seal(parts);
  await writeFileAtomic(path, parts, { disk });
}

/** Notes that a state was written, and removes the one that it supersedes, if any. @throws WorkspaceError. */
export async function noteStateFile(
  path: string,
  superseded: string | undefined,
  disk: Disk = nodeDisk,
): Promise<void> {
  try {
    await (await disk.open(noteOf(path), 'append')).close();
    if (superseded === undefined) return;
    await disk.remove(noteOf(superseded));
    await disk.remove(superseded);
  } catch (error) {
    throw workspaceError('write', path, error);
  }
}

/** @throws DataError when it is not as it was written. */
export async function readStateFile(path: string, disk: Disk): Promise<NamedTensors> {
  const bytes = await disk.readFile(path).catch((error: unknown) => {
    throw codeOf(error) === 'ENOENT' ? damaged(path, 'it is missing') : workspaceError('read', path, error);
  });
  try {
    return openSealed(bytes);
  } catch (error) {
    if (!isConsiliumError(error, 'DataError')) throw error;
    throw damaged(path, error.message);
  }
}

/** Rounds after which a state was written: those whose states are there, and those whose states are noted; ascending. */
export async function writtenRounds(folder: string, disk: Disk): Promise<number[]> {
  const rounds = (await namesIn(folder, disk)).flatMap((name) => statePattern.exec(name)?.[1] ?? []).map(Number);
  return [...new Set(rounds)].sort((a, b) => a - b);
}

const statePattern = /^round-(\d+)\.(safetensors|written)$/;

function noteOf(path: string): string {
  return path.replace(/safetensors$/, 'written');
}

function damaged(file: string, problem: string): DataError {
  return new DataError(`The state '${file}' cannot be used: ${problem}.`, {
    file,
    hint: 'Restore it from a copy, or remove the folder to begin the training of this site anew.',
  });
}
