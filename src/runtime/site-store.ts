/**
 * What a site keeps on disk between rounds: the trainer's state, and the ledger of its privacy filters.
 *
 * @module
 */
import { join } from 'node:path';
import type { SiteLedger, SiteStateStore } from '../executors/site';
import { decodeLedgerEntry, encodeLedgerEntry, type LedgerEntry, totalSpent } from '../privacy/ledger';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import { shareTensors } from '../tensor/shared-tensors';
import { appendLine, codeOf, dropTornLine, namesIn } from '../util/atomic-file';
import type { Disk } from '../util/disk';
import { nodeDisk } from '../util/node-disk';
import type { LoaderClient } from './loader/loader-client';

/**
 * Saved states that are kept. The server commits a round while its sites are in the next, and may have to go back by one
 * damaged checkpoint: the oldest state that a repeated round can need is three rounds before the newest.
 */
const GENERATIONS = 4;

/**
 * The trainer's state after each of the last rounds.
 *
 * @param write see {@link LoaderClient.write}: off the training thread where there is another one.
 */
export function siteStateStore(folder: string, write: LoaderClient['write'], disk: Disk = nodeDisk): SiteStateStore {
  const states = join(folder, 'state');
  let memory: SharedArrayBuffer | undefined;
  /** Rounds whose states are on disk, ascending. */
  let saved: readonly number[] | undefined;
  return {
    async load(round) {
      const newest = (await savedRounds(states, disk)).filter((saved) => saved <= round).at(-1);
      if (newest === undefined) return undefined;
      return decodeSafetensors(await disk.readFile(fileOf(states, newest))).tensors;
    },
    async save(round, state) {
      const shared = shareTensors(state, memory);
      const [first] = shared.values();
      memory = first?.data.buffer as SharedArrayBuffer | undefined;
      saved ??= await savedRounds(states, disk);
      saved = [...saved.filter((one) => one !== round), round].sort((a, b) => a - b);
      const superseded = oldestSuperseded(saved, round);
      saved = saved.filter((one) => one !== superseded);
      const file = superseded === undefined ? undefined : fileOf(states, superseded);
      await write(fileOf(states, round), safetensorsParts(shared), file);
    },
  };
}

/**
 * The oldest saved round, when no repeated round can need it: a later one lies before all that may be repeated. A site that
 * does not train in every round keeps older states.
 */
function oldestSuperseded([oldest, next]: readonly number[], round: number): number | undefined {
  return next !== undefined && next <= round - (GENERATIONS - 1) ? oldest : undefined;
}

function fileOf(states: string, round: number): string {
  return join(states, `round-${String(round).padStart(6, '0')}.safetensors`);
}

async function savedRounds(states: string, disk: Disk): Promise<number[]> {
  return (await namesIn(states, disk))
    .flatMap((name) => /^round-(\d+)\.safetensors$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** The site's ledger, continued where an earlier process left it. */
export async function siteLedger(folder: string, site: string, disk: Disk = nodeDisk): Promise<SiteLedger> {
  const file = join(folder, 'privacy', 'ledger.jsonl');
  await dropTornLine(file, disk);
  const text = await disk.readFile(file).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  });
  const entries = text.toString().split('\n').filter(Boolean).map(decodeLedgerEntry);
  return {
    spent: (filter) => totalSpent(entries, site, filter).epsilon,
    booked: (round) => entries.filter((entry) => entry.round === round).map(({ cost }) => cost),
    async charge(round, filter, cost) {
      const entry: LedgerEntry = { site, round, filter, cost };
      await appendLine(file, encodeLedgerEntry(entry), { durable: true, disk });
      entries.push(entry);
    },
  };
}
