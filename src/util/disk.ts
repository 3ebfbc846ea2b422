/**
 * A disk as it is passed in. What is durable is what was flushed: a file's bytes by `sync` on the file, its name by
 * `syncFolder` on its folder. A simulated disk loses everything else in a power cut.
 *
 * Errors are those of Node's file system, with its codes (`ENOENT`, `ENOSPC`, …); `util/atomic-file.ts` turns them into
 * errors for people.
 *
 * @module
 */

/** How a file is opened: to read; as a new one that must not exist; at its end, or at places, and made when missing. */
export type OpenMode = 'read' | 'new' | 'append' | 'update';

/** Who may use what is made: `private`: this user alone; `program`: this user alone, and it may be run. */
export type Access = 'private' | 'program';

export interface DiskFile {
  size(): Promise<number>;
  /** Fills `into` from the place on, and returns how many bytes there were. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all of the parts, one after the other: at `at`, or (always in `append`) at the end. */
  write(parts: readonly Uint8Array[], at?: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** What was written is durable when it resolves. After a failure nothing is known of it: write it anew. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** @param access of a file that is made; what the system gives a new file when absent. */
  open(path: string, mode: OpenMode, access?: Access): Promise<DiskFile>;
  /** The whole file. @param memory where it may be put, by its size. @default memory of its own */
  readFile(path: string, memory?: (bytes: number) => ArrayBuffer): Promise<Buffer>;
  exists(path: string): Promise<boolean>;
  /** Where a file or folder lies once every link on the way has been followed. @throws ENOENT when there is none. */
  realPath(path: string): Promise<string>;
  /** Names in the folder, in no particular order; `recursive` also gives the paths of all that lies deeper. @throws ENOENT when there is none. */
  list(folder: string, options?: { readonly recursive?: boolean }): Promise<string[]>;
  /** Makes the folder and those above it; nothing when it is there. */
  makeFolder(path: string, access?: 'private'): Promise<void>;
  /** Replaces what was there under the new name, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file, or a folder with all that is in it; nothing when there is none. */
  remove(path: string): Promise<void>;
  /** New, renamed and removed names in the folder are durable when it resolves. */
  syncFolder(path: string): Promise<void>;
  /** Free space for this user, bytes. */
  freeBytes(path: string): Promise<number>;
  /** Part of a file's name that nothing on this disk bears yet, not even what a killed process left. */
  freshName(): string;
}
