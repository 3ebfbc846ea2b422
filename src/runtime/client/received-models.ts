/**
 * The global models that a site was sent, each a file while it is of use: a transfer that broke off goes on where it was, and a
 * model that is asked about twice travels once.
 *
 * @module
 */
import { join } from 'node:path';
import type { BlobRef } from '../../protocol/wire/messages';
import { decodeSafetensors } from '../../tensor/safetensors';
import type { NamedTensors } from '../../tensor/tensor';
import type { Fetch } from '../../transport/agent-types';
import { fileSink } from '../../transport/file-sink';
import { namesIn } from '../../util/atomic-file';
import type { Disk } from '../../util/disk';

export function receivedModels(disk: Disk, folder: string) {
  let latest: { readonly sha256: string; readonly model: NamedTensors } | undefined;
  return {
    /** The model of this hash, fetched when it is not here. Earlier ones are dropped. @throws DataError for one that is no model. */
    async receive(ref: BlobRef, fetch: Fetch, signal: AbortSignal): Promise<NamedTensors> {
      if (latest?.sha256 === ref.sha256) return latest.model;
      latest = undefined; // One model in memory, not two.
      const sink = fileSink(disk, folder, ref, { flush: 'nothing' });
      await fetch(ref, sink, signal);
      const { tensors: model } = decodeSafetensors(await disk.readFile(sink.path), { inPlace: true });
      latest = { sha256: ref.sha256, model };
      const old = (await namesIn(folder, disk)).filter((name) => !name.startsWith(ref.sha256));
      await Promise.all(old.map((name) => disk.remove(join(folder, name))));
      return model;
    },
    /** Holds no model any more. */
    forget(): void {
      latest = undefined;
    },
  };
}
