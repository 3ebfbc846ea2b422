/**
 * Header extensions: skipped, but walked, since a broken chain means that the voxels may not be where the header says.
 *
 * @module
 */
import { badFile } from '../data-error';
import type { NiftiHeader } from './header';

/** Checks the chain of extensions between header and voxels. @throws DataError naming the extension. */
export function checkExtensions(bytes: Uint8Array, header: NiftiHeader, file: string): void {
  const flagAt = header.version === 1 ? 348 : 540;
  if (bytes[flagAt] === 0) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = flagAt + 4;
  for (let index = 1; at < header.voxelOffset; index++) {
    const room = header.voxelOffset - at;
    const size = room < 8 ? 0 : view.getInt32(at, header.littleEndian);
    if (size < 16 || size % 16 !== 0 || size > room) {
      throw badFile(
        file,
        `header extension ${index} at byte ${at} has size ${size}, expected a multiple of 16 that ends before vox_offset ${header.voxelOffset}.`,
        'Strip the extensions, or export the volume again.',
      );
    }
    at += size;
  }
}
