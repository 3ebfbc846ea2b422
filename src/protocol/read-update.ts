/**
 * Reads an update that lies on a disk.
 *
 * @module
 */
import { workspaceError } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { giveMemoryBack, takeMemory } from '../util/spare-memory';
import { decodeUpdateFile, type UpdateFile } from './update-file';

/** An update in memory that is used again. */
export interface LentUpdate extends UpdateFile {
  /** Gives the memory of the tensors back, once nobody reads them any more. Not to call it costs time only. */
  release(): void;
}

/**
 * @param check looks at the bytes first.
 * @throws WorkspaceError where the disk fails; DataError when it is not an update; what `check` throws.
 */
export async function readUpdate(
  disk: Disk,
  file: string,
  check: (bytes: Uint8Array) => void = () => {},
): Promise<LentUpdate> {
  let memory: ArrayBuffer | undefined;
  const bytes = await disk
    .readFile(file, (size) => {
      memory = takeMemory(size);
      return memory;
    })
    .catch((error: unknown) => {
      throw workspaceError('read', file, error);
    });
  check(bytes);
  return {
    ...decodeUpdateFile(bytes, { inPlace: true }),
    release() {
      if (memory !== undefined) giveMemoryBack(memory);
      memory = undefined;
    },
  };
}
