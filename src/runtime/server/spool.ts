/**
 * Where answers arrive before they count. What counts is taken over by the journal; what is left over from rounds that have
 * ended is removed.
 *
 * @module
 */
import { join } from 'node:path';
import type { BlobRef } from '../../protocol/wire/messages';
import { type FileSink, fileSink } from '../../transport/file-sink';
import { namesIn, workspaceError } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';
import { forgetFolders } from '../../util/durable-folder';

export interface Spool {
  /** Where an answer of a site arrives, going on after what came of it before. */
  sink(site: string, ref: BlobRef): FileSink;
  /** A round has ended: removes what nobody has asked for since the last call. */
  sweep(): Promise<void>;
  remove(): Promise<void>;
}

export function createSpool(folder: string, disk: Disk): Spool {
  /** Answers that were asked for since the last sweep: `<site>/<sha256>`. */
  let used = new Set<string>();
  /** What is being removed. */
  const removing = new Map<string, Promise<void>>();
  return {
    sink(site, ref) {
      const answer = join(site, ref.sha256);
      used.add(answer);
      const sink = fileSink(disk, join(folder, site), ref, { flush: 'bytes' });
      const have = async () => {
        await removing.get(answer); // It was left over until this moment.
        return sink.have();
      };
      return { ...sink, have };
    },
    async sweep() {
      const before = used;
      used = new Set();
      for (const site of await namesIn(folder, disk)) {
        for (const name of await namesIn(join(folder, site), disk)) {
          const answer = join(site, name.replace(/\.part$/, ''));
          // The next round has begun: its answers arrive meanwhile.
          if (before.has(answer) || used.has(answer)) continue;
          const removed = discard(join(folder, site, name)).finally(() => removing.delete(answer));
          removing.set(answer, removed);
          await removed;
        }
      }
    },
    async remove() {
      await discard(folder);
      forgetFolders(disk, folder);
    },
  };

  async function discard(path: string): Promise<void> {
    await disk.remove(path).catch((error: unknown) => {
      throw workspaceError('clear', path, error);
    });
  }
}
