/**
 * A disk in memory that fails as disks do, the same way again for the same random numbers.
 *
 * - A process that is killed leaves what it wrote: the page cache stays. What it had asked for and not been answered may have
 *   happened, or in part, or not; its promises never settle.
 * - A power cut also takes what was not flushed: of a file any of the sectors that were written since, of a folder any of the
 *   names that were made, changed or removed since, each by itself and in no order.
 * - Operations take time, on a clock that is passed in, and fail where the faults say so.
 *
 * @module
 */
import { bytesOf, diskImage, type FolderNode, type Remains } from './disk-image';
import { type DiskFaults, type DiskOperation, type MountedDisk, mountDisk } from './disk-process';

export type { Remains } from './disk-image';
export type { DiskFaults, DiskOperation, MountedDisk } from './disk-process';

export interface SimDiskOptions {
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly clock: { after(delayMs: number, act: () => void): unknown };
  /** What lies on it at first, flushed, by path. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly onOperation?: OperationListener | undefined;
}

/** Told of each operation just before it takes effect, and after that, before its process is told. It may kill and cut power. */
export type OperationListener = (operation: DiskOperation, when: 'before' | 'after') => void;

export interface SimDisk {
  /** The disk as a new process sees it. */
  mount(): MountedDisk;
  /** Kills all processes, and takes what was not flushed. @param remains left to chance when absent */
  powerCut(remains?: Remains): void;
  /** What goes wrong, and how long things take. To be changed at any time. */
  readonly faults: DiskFaults;
  /** May be changed at any time. */
  onOperation: OperationListener | undefined;
  /** All files, as processes see them, by path in alphabetical order. */
  files(): Map<string, Buffer>;
  /** Puts other bytes in the place of a file's, where it lies: what wears out or is damaged was flushed before. */
  damage(path: string, change: (bytes: Buffer) => Uint8Array): void;
  /** Loses a file. */
  lose(path: string): void;
}

export function simDisk({ random, clock, files, onOperation }: SimDiskOptions): SimDisk {
  const image = diskImage(random);
  for (const [path, bytes] of files ?? []) place(path, bytes);
  image.powerCut('everything');
  const faults: DiskFaults = {};
  const processes: MountedDisk[] = [];
  let operations = 0;
  const disk: SimDisk = {
    faults,
    onOperation,
    mount() {
      const number = processes.length + 1;
      const nextNumber = () => ++operations;
      const tell: OperationListener = (operation, when) => disk.onOperation?.(operation, when);
      const process = mountDisk({ number, image, random, clock, faults, nextNumber, onOperation: tell });
      processes.push(process);
      return process;
    },
    powerCut(remains) {
      const chance = random();
      for (const process of processes) process.kill();
      image.powerCut(remains ?? (chance < 0.25 ? 'nothing' : chance < 0.5 ? 'everything' : 'some'));
    },
    files: () => new Map([...filesIn(image.root, '')].sort(([a], [b]) => (a < b ? -1 : 1))),
    damage(path, change) {
      const file = image.fileAt(path);
      const bytes = change(Buffer.from(bytesOf(file.seen)));
      image.resize(file, 0);
      image.write(file, 0, bytes);
      image.syncFile(file);
    },
    lose(path) {
      image.remove(path);
      image.syncFolder(image.folderOf(path));
    },
  };
  return disk;

  function place(path: string, bytes: Uint8Array): void {
    image.createFolders(path.slice(0, path.lastIndexOf('/')));
    const file = image.createFile(path);
    image.write(file, 0, bytes);
  }
}

function* filesIn(folder: FolderNode, path: string): Generator<[string, Buffer]> {
  for (const [name, node] of folder.seen) {
    if (node.kind === 'folder') yield* filesIn(node, `${path}/${name}`);
    else yield [`${path}/${name}`, Buffer.from(bytesOf(node.seen))];
  }
}
