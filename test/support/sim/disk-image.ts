/**
 * What a simulated disk holds, twice: as processes see it, which is the page cache, and as it would be found after a power
 * cut. Flushing brings the second up to the first.
 *
 * @module
 */
import { basename } from 'node:path';

export interface FileNode {
  readonly kind: 'file';
  readonly seen: Content;
  readonly kept: Content;
  /** Changes since the last flush, oldest first. */
  pending: FileChange[];
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly seen: Map<string, Node>;
  readonly kept: Map<string, Node>;
}

export type Node = FileNode | FolderNode;

/** A change that a flush could not write is lost: later flushes do not try again, as on Linux. */
type FileChange =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer; lost: boolean }
  | { readonly kind: 'resize'; readonly size: number; lost: boolean };

/** Names that change in one step: one, or the two of a renaming. */
interface NameChange {
  readonly set?: { readonly folder: FolderNode; readonly name: string; readonly node: Node };
  readonly unset?: { readonly folder: FolderNode; readonly name: string; readonly node: Node };
}

/** How much of what was not flushed a power cut leaves. */
export type Remains = 'nothing' | 'everything' | 'some';

/** A disk writes sectors as a whole, in any order. */
const sectorBytes = 512;

export type DiskImage = ReturnType<typeof diskImage>;

/** @param random gives numbers in [0, 1). */
export function diskImage(random: () => number) {
  const root: FolderNode = { kind: 'folder', seen: new Map(), kept: new Map() };
  let names: NameChange[] = [];
  return {
    root,
    nodeAt,
    fileAt,
    folderAt,
    folderOf,
    createFile,
    createFolders,
    rename,
    remove,
    write,
    resize,
    syncFile,
    loseUnflushed,
    syncFolder,
    powerCut,
    bytesInUse: () => sizeOf(root),
  };

  /** What is at a path, if anything. */
  function nodeAt(path: string): Node | undefined {
    let node: Node | undefined = root;
    for (const name of namesOf(path)) {
      if (node?.kind !== 'folder') return undefined;
      node = node.seen.get(name);
    }
    return node;
  }

  /** @throws ENOENT, EISDIR. */
  function fileAt(path: string): FileNode {
    const node = nodeAt(path);
    if (node?.kind === 'file') return node;
    throw fault(node ? 'EISDIR' : 'ENOENT', path);
  }

  /** @throws ENOENT, ENOTDIR. */
  function folderAt(path: string): FolderNode {
    const node = nodeAt(path);
    if (node?.kind === 'folder') return node;
    throw fault(node || isBelowFile(path) ? 'ENOTDIR' : 'ENOENT', path);
  }

  function isBelowFile(path: string): boolean {
    const names = namesOf(path);
    return names.some((_, i) => nodeAt(names.slice(0, i).join('/'))?.kind === 'file');
  }

  function folderOf(path: string): FolderNode {
    return folderAt(namesOf(path).slice(0, -1).join('/'));
  }

  function createFile(path: string): FileNode {
    const node: FileNode = { kind: 'file', seen: content(), kept: content(), pending: [] };
    change({ set: { folder: folderOf(path), name: basename(path), node } });
    return node;
  }

  /** Makes the folder and those above it. @throws EEXIST where a file is in the way, ENOTDIR where one is on the way. */
  function createFolders(path: string): void {
    if (nodeAt(path)?.kind === 'file') throw fault('EEXIST', path);
    if (isBelowFile(path)) throw fault('ENOTDIR', path);
    const names = namesOf(path);
    for (let i = 1; i <= names.length; i++) {
      const at = names.slice(0, i).join('/');
      if (nodeAt(at)) continue;
      const node: FolderNode = { kind: 'folder', seen: new Map(), kept: new Map() };
      change({ set: { folder: folderOf(at), name: names[i - 1]!, node } });
    }
  }

  function rename(from: string, to: string): void {
    const node = nodeAt(from);
    if (!node) throw fault('ENOENT', from);
    const folder = folderOf(to);
    const name = basename(to);
    const old = folder.seen.get(name);
    if (old === node) return;
    if (old?.kind === 'folder' && node.kind === 'file') throw fault('EISDIR', to);
    if (old?.kind === 'file' && node.kind === 'folder') throw fault('ENOTDIR', to);
    if (old?.kind === 'folder' && old.seen.size > 0) throw fault('ENOTEMPTY', to);
    change({ set: { folder, name, node }, unset: { folder: folderOf(from), name: basename(from), node } });
  }

  /** Each name goes in a step of its own, the deepest first. */
  function remove(path: string): void {
    const folder = folderOf(path);
    const node = folder.seen.get(basename(path));
    if (!node) throw fault('ENOENT', path);
    if (node.kind === 'folder') for (const name of [...node.seen.keys()]) remove(`${path}/${name}`);
    change({ unset: { folder, name: basename(path), node } });
  }

  function change(one: NameChange): void {
    applyTo('seen', one);
    names.push(one);
  }

  function write(file: FileNode, at: number, bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    writeAt(file.seen, at, copy);
    file.pending.push({ kind: 'write', at, bytes: copy, lost: false });
  }

  function resize(file: FileNode, size: number): void {
    setSize(file.seen, size);
    file.pending.push({ kind: 'resize', size, lost: false });
  }

  function syncFile(file: FileNode): void {
    for (const one of file.pending) if (!one.lost) keep(file, one);
    file.pending = file.pending.filter(({ lost }) => lost);
  }

  /** A flush failed: what it was to write stays in the page cache and never reaches the disk. */
  function loseUnflushed(file: FileNode): void {
    for (const one of file.pending) one.lost = true;
  }

  /** A name that came from another folder is only sure to be kept when that is asked of the folder it went to. */
  function syncFolder(folder: FolderNode): void {
    const isKept = ({ set, unset }: NameChange) =>
      set ? set.folder === folder || (unset?.folder === folder && random() < 0.5) : unset?.folder === folder;
    names = names.filter((one) => {
      if (!isKept(one)) return true;
      applyTo('kept', one);
      return false;
    });
  }

  /** From now on processes see what was kept. */
  function powerCut(remains: Remains): void {
    const survives = () => remains === 'everything' || (remains === 'some' && random() < 0.5);
    for (const one of names) if (survives()) applyTo('kept', one);
    names = [];
    forget(root, survives);
  }

  function forget(node: Node, survives: () => boolean): void {
    if (node.kind === 'file') {
      for (const one of node.pending) if (!one.lost) tear(node, one, survives);
      node.pending = [];
      copyContent(node.kept, node.seen);
      return;
    }
    node.seen.clear();
    for (const [name, inner] of node.kept) {
      node.seen.set(name, inner);
      forget(inner, survives);
    }
  }
}

function applyTo(layer: 'seen' | 'kept', { set, unset }: NameChange): void {
  if (unset && unset.folder[layer].get(unset.name) === unset.node) unset.folder[layer].delete(unset.name);
  if (set) set.folder[layer].set(set.name, set.node);
}

function keep({ kept }: FileNode, change: FileChange): void {
  if (change.kind === 'write') writeAt(kept, change.at, change.bytes);
  else setSize(kept, change.size);
}

/** Keeps any of the sectors of a write. */
function tear(file: FileNode, change: FileChange, survives: () => boolean): void {
  if (change.kind === 'resize') {
    if (survives()) keep(file, change);
    return;
  }
  const { at, bytes } = change;
  for (let from = at; from < at + bytes.length; ) {
    const to = Math.min(at + bytes.length, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    if (survives()) writeAt(file.kept, from, bytes.subarray(from - at, to - at));
    from = to;
  }
}

export interface Content {
  /** With room to grow. */
  memory: Buffer;
  size: number;
}

function content(): Content {
  return { memory: Buffer.alloc(0), size: 0 };
}

export function bytesOf({ memory, size }: Content): Buffer {
  return memory.subarray(0, size);
}

function writeAt(to: Content, at: number, bytes: Uint8Array): void {
  if (at + bytes.length > to.size) setSize(to, at + bytes.length);
  to.memory.set(bytes, at);
}

/** What is added are zeros. */
function setSize(to: Content, size: number): void {
  if (size > to.memory.length) {
    const grown = Buffer.alloc(Math.max(size, 2 * to.memory.length));
    grown.set(bytesOf(to));
    to.memory = grown;
  }
  if (size < to.size) to.memory.fill(0, size, to.size);
  to.size = size;
}

function copyContent(from: Content, to: Content): void {
  to.memory = Buffer.from(bytesOf(from));
  to.size = from.size;
}

function sizeOf(node: Node): number {
  if (node.kind === 'file') return node.seen.size;
  return [...node.seen.values()].reduce((sum, inner) => sum + sizeOf(inner), 0);
}

function namesOf(path: string): string[] {
  return path.split('/').filter(Boolean);
}

/** An error as Node's file system throws it. */
export function fault(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, '${path}'`), { code, path });
}
