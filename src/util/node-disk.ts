/**
 * The disk of this machine.
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  type FileHandle,
  open as openFile,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  statfs,
} from 'node:fs/promises';
import type { Access, Disk, DiskFile, OpenMode } from './disk';
import { makeFolder } from './make-folder';

/** Not the number of the process: in a container it is the same each time, and a killed one may have left its files. */
const boot = randomUUID();
let names = 0;

export const nodeDisk: Disk = {
  open: async (path, mode, access) =>
    diskFile(await openFile(path, flags[mode], access === undefined ? undefined : rights[access]), mode),
  readFile: (path, memory) => (memory === undefined ? readFile(path) : readInto(path, memory)),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
  realPath: (path) => realpath(path),
  list: (folder, { recursive = false } = {}) => readdir(folder, { recursive }),
  makeFolder: async (path, access) => {
    await makeFolder(path, access === undefined ? undefined : 0o700);
  },
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  syncFolder,
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  freshName: () => `${boot}-${names++}`,
};

async function readInto(path: string, memory: (bytes: number) => ArrayBuffer): Promise<Buffer> {
  const handle = await openFile(path, 'r');
  try {
    const file = diskFile(handle, 'read');
    const size = await file.size();
    const bytes = Buffer.from(memory(size), 0, size);
    return bytes.subarray(0, await file.read(bytes, 0));
  } finally {
    await handle.close();
  }
}

const flags: Readonly<Record<OpenMode, string | number>> = {
  read: 'r',
  new: 'wx',
  append: 'a',
  update: constants.O_RDWR | constants.O_CREAT,
};

const rights: Readonly<Record<Access, number>> = { private: 0o600, program: 0o700 };

function diskFile(file: FileHandle, mode: OpenMode): DiskFile {
  const size = async () => (await file.stat()).size;
  return {
    size,
    async read(into, at) {
      let length = 0;
      while (length < into.length) {
        const { bytesRead } = await file.read(into, length, into.length - length, at + length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return length;
    },
    async write(parts, at) {
      // A file that is opened for places begins to write at its start, one that is appended to always at its end.
      let place = mode === 'update' ? (at ?? (await size())) : at;
      for (let i = 0; i < parts.length; i += mostPieces) {
        const pieces = parts.slice(i, i + mostPieces);
        const written = await writePieces(file, pieces, place);
        if (place !== undefined) place += written;
      }
    },
    truncate: (length) => file.truncate(length),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Pieces that one `writev` call takes on every system. */
const mostPieces = 512;

/** As few calls as the system allows: `FileHandle.writeFile` makes one for every half megabyte. Returns the bytes written. */
async function writePieces(file: FileHandle, pieces: readonly Uint8Array[], at: number | undefined): Promise<number> {
  const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const { bytesWritten } = await file.writev([...pieces], at);
  if (bytesWritten === size) return size;
  // A short write: some file systems stop at 2 GiB, and a full disk takes what fits. The rest goes piece by piece.
  let skipped = bytesWritten;
  let written = bytesWritten;
  for (const piece of pieces) {
    for (let from = Math.min(skipped, piece.byteLength); from < piece.byteLength; ) {
      const place = at === undefined ? null : at + written;
      const more = (await file.write(piece, from, piece.byteLength - from, place)).bytesWritten;
      from += more;
      written += more;
    }
    skipped = Math.max(0, skipped - piece.byteLength);
  }
  return written;
}

/** Windows has no such operation, and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await openFile(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
