/**
 * What a site keeps on disk between rounds of its trainer's state.
 *
 * @module
 */
import { join } from 'node:path';
import { isConsiliumError } from '../errors';
import type { SiteStateStore } from '../executors/site';
import { sealableParts } from '../tensor/sealed-safetensors';
import { shareTensors } from '../tensor/shared-tensors';
import type { NamedTensors } from '../tensor/tensor';
import type { Disk } from '../util/disk';
import { nodeDisk } from '../util/node-disk';
import type { LoaderClient } from './loader/loader-client';
import { readStateFile, stateFile, writtenRounds } from './state-file';

/**
 * Saved states that are kept. The server commits a round while its sites are in the next, and may have to go back by one
 * damaged checkpoint: the oldest state that a repeated round can need is three rounds before the newest.
 */
const GENERATIONS = 4;

export interface SiteStateStoreOptions {
  /** @default this machine's */
  readonly disk?: Disk;
  /** Told of a state that is damaged or lost, where an older one takes its place. */
  readonly warn: (message: string) => void;
}

/**
 * The trainer's state after each of the last rounds. A damaged one gives way to the one before, and `warn` is told.
 *
 * @param write see {@link LoaderClient.write}: off the training thread where there is another one.
 */
export function siteStateStore(
  folder: string,
  write: LoaderClient['write'],
  { disk = nodeDisk, warn }: SiteStateStoreOptions,
): SiteStateStore {
  const states = join(folder, 'state');
  let memory: SharedArrayBuffer | undefined;
  let writing = 0;
  /** Rounds whose states were written, ascending. */
  let written: readonly number[] | undefined;
  return {
    async load(round) {
      const candidates = (await writtenRounds(states, disk)).filter((one) => one <= round);
      for (let newest = candidates.pop(); newest !== undefined; newest = candidates.pop()) {
        try {
          return await readStateFile(stateFile(states, newest), disk);
        } catch (error) {
          const older = candidates.at(-1);
          if (!isConsiliumError(error, 'DataError') || older === undefined) throw error;
          warn(`${error.message} Going back to the state after round ${older}: the results will differ.`);
        }
      }
      return undefined;
    },
    async save(round, state) {
      // While an earlier state is still being written (its task was stopped meanwhile), its memory is not used again.
      const shared = shareTensors(state, writing === 0 ? memory : undefined);
      const [first] = shared.values();
      memory = first?.data.buffer as SharedArrayBuffer | undefined;
      writing++;
      await put(round, shared).finally(() => writing--);
    },
  };

  async function put(round: number, shared: NamedTensors): Promise<void> {
    written ??= await writtenRounds(states, disk);
    written = [...written.filter((one) => one !== round), round].sort((a, b) => a - b);
    const superseded = oldestSuperseded(written, round);
    written = written.filter((one) => one !== superseded);
    const file = superseded === undefined ? undefined : stateFile(states, superseded);
    await write(stateFile(states, round), sealableParts(shared), file);
  }
}

/**
 * The oldest saved round, when no repeated round can need it: a later one lies before all that may be repeated. A site that
 * does not train in every round keeps older states.
 */
function oldestSuperseded([oldest, next]: readonly number[], round: number): number | undefined {
  return next !== undefined && next <= round - (GENERATIONS - 1) ? oldest : undefined;
}
