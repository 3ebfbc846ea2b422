/**
 * A simulated disk as one process sees it: operations take time, fail, and end with the process.
 *
 * @module
 */
import type { Disk, DiskFile, OpenMode } from '../../../src/util/disk';
import { bytesOf, type DiskImage, type FileNode, type FolderNode, fault } from './disk-image';

export interface DiskOperation {
  /** Counted from 1, over all processes, in the order in which they take effect; 0 before that. */
  readonly number: number;
  /** Which mounted disk asked for it, counted from 1. */
  readonly process: number;
  readonly kind: Exclude<keyof Disk, 'freshName'> | keyof DiskFile;
  readonly path: string;
  /** Of a renaming: the new path. */
  readonly to?: string;
  /** Of a write. */
  readonly bytes?: number;
}

export interface DiskFaults {
  /** Bytes that all files may hold together: what goes beyond is refused with ENOSPC, after what fits was written. */
  quotaBytes?: number | undefined;
  /** Code of the error with which an operation fails, EIO say. A write may have been carried out in part. */
  fail?: ((operation: DiskOperation) => string | undefined) | undefined;
  /** Whether one bit of what a `read` or `readFile` gives is wrong. */
  flip?: ((operation: DiskOperation) => boolean) | undefined;
  /** How long an operation takes, milliseconds. @default about what a solid-state disk takes */
  latencyMs?: ((operation: DiskOperation) => number) | undefined;
}

export interface MountedDisk extends Disk {
  /** As `kill -9` of the process that uses it. */
  kill(): void;
}

interface MountOptions {
  /** Of the process. */
  readonly number: number;
  readonly image: DiskImage;
  readonly random: () => number;
  readonly clock: { after(delayMs: number, act: () => void): unknown };
  readonly faults: DiskFaults;
  readonly nextNumber: () => number;
  readonly onOperation: (operation: DiskOperation, when: 'before' | 'after') => void;
}

type Asked = Omit<DiskOperation, 'number' | 'process'>;

/** @param failure code of the error that it has to end with, of those that fail half way */
type Act<T> = (operation: DiskOperation, failure: string | undefined) => T;

/** What has done harm when it fails: a write some of its work, a flush the loss of what it was to write. */
const failHalfWay: ReadonlySet<DiskOperation['kind']> = new Set(['write', 'sync']);

export function mountDisk(options: MountOptions): MountedDisk {
  const { number, image, random, clock, faults } = options;
  const boot = Math.floor(random() * 2 ** 48).toString(36);
  let names = 0;
  let alive = true;
  /** Operations that were asked for and have not taken effect, oldest first. */
  const underway = new Set<() => void>();

  return {
    open: (path, mode) => ask({ kind: 'open', path }, () => handle(path, mode, openNode(path, mode))),
    readFile: (path) => ask({ kind: 'readFile', path }, (operation) => read(image.fileAt(path), 0, operation)),
    exists: (path) => ask({ kind: 'exists', path }, () => image.nodeAt(path) !== undefined),
    realPath: (path) => ask({ kind: 'realPath', path }, () => realPath(path)),
    list: (path, { recursive = false } = {}) => ask({ kind: 'list', path }, () => list(path, recursive)),
    makeFolder: (path) => ask({ kind: 'makeFolder', path }, () => image.createFolders(path)),
    rename: (path, to) => ask({ kind: 'rename', path, to }, () => image.rename(path, to)),
    remove: (path) => ask({ kind: 'remove', path }, () => image.nodeAt(path) && image.remove(path)),
    syncFolder: (path) => ask({ kind: 'syncFolder', path }, () => image.syncFolder(image.folderAt(path))),
    freeBytes: (path) => ask({ kind: 'freeBytes', path }, freeBytes),
    freshName: () => `${boot}-${names++}`,
    kill() {
      if (!alive) return;
      alive = false;
      for (const act of underway) if (random() < 0.5) act();
      underway.clear();
    },
  };

  /** Carries out `act` a while from now, unless the process ends before: then perhaps, and nobody hears of it. */
  function ask<T>(asked: Asked, act: Act<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!alive) return;
      const early = { ...asked, process: number, number: 0 };
      const unheard = () => {
        attempt(early, act);
      };
      underway.add(unheard);
      clock.after((faults.latencyMs ?? usualLatency)(early), () => {
        if (!alive) return;
        const operation = { ...early, number: options.nextNumber() };
        options.onOperation(operation, 'before');
        if (!alive) return;
        underway.delete(unheard);
        const result = attempt(operation, act);
        options.onOperation(operation, 'after');
        if (!alive) return;
        if ('error' in result) reject(result.error);
        else resolve(result.value);
      });
    });
  }

  function attempt<T>(operation: DiskOperation, act: Act<T>): { value: T } | { error: unknown } {
    const failure = faults.fail?.(operation);
    try {
      if (failure !== undefined && !failHalfWay.has(operation.kind)) throw fault(failure, operation.path);
      return { value: act(operation, failure) };
    } catch (error) {
      return { error };
    }
  }

  function openNode(path: string, mode: OpenMode): FileNode {
    const node = image.nodeAt(path);
    if (node?.kind === 'folder') throw fault('EISDIR', path);
    if (node && mode === 'new') throw fault('EEXIST', path);
    if (!node && mode === 'read') throw fault('ENOENT', path);
    return node ?? image.createFile(path);
  }

  /** It has no links. */
  function realPath(path: string): string {
    if (image.nodeAt(path) === undefined) throw fault('ENOENT', path);
    return path;
  }

  function handle(path: string, mode: OpenMode, file: FileNode): DiskFile {
    let open = true;
    const on = <T>(asked: Omit<Asked, 'path'>, act: Act<T>): Promise<T> =>
      ask({ ...asked, path }, (operation, failure) => {
        if (!open) throw fault('EBADF', path);
        return act(operation, failure);
      });
    return {
      size: () => on({ kind: 'size' }, () => file.seen.size),
      read: (into, at) =>
        on({ kind: 'read' }, (operation) => {
          const found = read(file, at, operation).subarray(0, into.length);
          into.set(found);
          return found.length;
        }),
      write(parts, at) {
        const bytes = Buffer.concat(parts);
        return on({ kind: 'write', bytes: bytes.length }, (_, failure) => {
          const code = write(file, mode === 'append' || at === undefined ? file.seen.size : at, bytes, failure);
          if (code !== undefined) throw fault(code, path);
        });
      },
      truncate: (size) => on({ kind: 'truncate' }, () => image.resize(file, size)),
      sync: () => on({ kind: 'sync' }, (_, failure) => sync(file, path, failure)),
      close: () =>
        on({ kind: 'close' }, () => {
          open = false;
        }),
    };
  }

  function read(file: FileNode, at: number, operation: DiskOperation): Buffer {
    const bytes = Buffer.from(bytesOf(file.seen).subarray(at));
    if (bytes.length > 0 && faults.flip?.(operation)) {
      bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
    }
    return bytes;
  }

  /** Writes what it can, and returns why that is not all. */
  function write(file: FileNode, at: number, bytes: Buffer, failure: string | undefined): string | undefined {
    const inPart = failure !== undefined || !alive;
    const wanted = inPart ? Math.floor(random() * (bytes.length + 1)) : bytes.length;
    const growth = Math.max(0, at + wanted - file.seen.size);
    const length = Math.max(0, wanted - Math.max(0, growth - freeBytes()));
    if (length > 0) image.write(file, at, bytes.subarray(0, length));
    return failure ?? (length < wanted ? 'ENOSPC' : undefined);
  }

  function sync(file: FileNode, path: string, failure: string | undefined): void {
    if (failure === undefined) {
      image.syncFile(file);
    } else {
      image.loseUnflushed(file);
      throw fault(failure, path);
    }
  }

  function list(path: string, recursive: boolean): string[] {
    return [...namesBelow(image.folderAt(path), recursive)];
  }

  function freeBytes(): number {
    return Math.max(0, (faults.quotaBytes ?? usualSize) - image.bytesInUse());
  }
}

function* namesBelow(folder: FolderNode, recursive: boolean): Generator<string> {
  for (const [name, node] of folder.seen) {
    yield name;
    if (!recursive || node.kind === 'file') continue;
    for (const inner of namesBelow(node, recursive)) yield `${name}/${inner}`;
  }
}

const usualSize = 2 ** 40;

function usualLatency({ kind, bytes = 0 }: DiskOperation): number {
  return (kind === 'sync' || kind === 'syncFolder' ? 2 : 0.05) + bytes / 500e3;
}
