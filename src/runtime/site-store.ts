/**
 * What a site keeps on disk between rounds: the trainer's state, and the ledger of its privacy filters.
 *
 * @module
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteLedger, SiteStateStore } from '../executors/site';
import { decodeLedgerEntry, encodeLedgerEntry, type LedgerEntry, totalSpent } from '../privacy/ledger';
import { decodeSafetensors, safetensorsParts } from '../tensor/safetensors';
import { shareTensors } from '../tensor/shared-tensors';
import { appendLine, dropTornLine } from '../util/atomic-file';
import type { LoaderClient } from './loader/loader-client';

/**
 * Saved states that are kept. The server commits a round while its sites are in the next, and may have to go back by one
 * damaged checkpoint: the oldest state that a repeated round can need is three rounds before the newest.
 */
const GENERATIONS = 4;

/** The trainer's state after each of the last rounds. */
export function siteStateStore(folder: string, write: LoaderClient['write']): SiteStateStore {
  const states = join(folder, 'state');
  let memory: SharedArrayBuffer | undefined;
  /** Rounds whose states are on disk, ascending. */
  let saved: readonly number[] | undefined;
  return {
    async load(round) {
      const newest = (await savedRounds(states)).filter((saved) => saved <= round).at(-1);
      if (newest === undefined) return undefined;
      return decodeSafetensors(await readFile(fileOf(states, newest))).tensors;
    },
    async save(round, state) {
      const shared = shareTensors(state, memory);
      const [first] = shared.values();
      memory = first?.data.buffer as SharedArrayBuffer | undefined;
      saved ??= await savedRounds(states);
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

async function savedRounds(states: string): Promise<number[]> {
  const names = await readdir(states).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => /^round-(\d+)\.safetensors$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** The site's ledger, continued where an earlier process left it. */
export async function siteLedger(folder: string, site: string): Promise<SiteLedger> {
  const file = join(folder, 'privacy', 'ledger.jsonl');
  await dropTornLine(file);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const entries = text.split('\n').filter(Boolean).map(decodeLedgerEntry);
  return {
    spent: (filter) => totalSpent(entries, site, filter).epsilon,
    booked: (round) => entries.filter((entry) => entry.round === round).map(({ cost }) => cost),
    async charge(round, filter, cost) {
      const entry: LedgerEntry = { site, round, filter, cost };
      await appendLine(file, encodeLedgerEntry(entry), { durable: true });
      entries.push(entry);
    },
  };
}
