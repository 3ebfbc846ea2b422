/**
 * Damage to one file of a server or site that does not run at the moment, where the product says what becomes of it.
 *
 * @module
 */

import { damages } from '../support/sim/damage';
import type { SimDisk } from '../support/sim/disk';
import type { History } from './history';
import type { Fault, Plan } from './plan';
import { ledgerFile } from './site-process';
import { jobId } from './world-types';

export interface DamageTargets {
  readonly plan: Plan;
  readonly history: History;
  readonly serverDisk: SimDisk;
  readonly siteDisk: SimDisk;
}

const targets = ['checkpoint', 'model', 'update', 'state', 'ledger'] as const;

/** Whose file it is; `undefined` when there is none that may be damaged yet. */
export function damageOne(
  { site, chance }: Fault,
  { plan, history, serverDisk, siteDisk }: DamageTargets,
): 'server' | 'site' | undefined {
  const way = damages[Math.floor(((chance * 997) % 1) * damages.length)]!;
  const target = targets[Math.floor(chance * targets.length)]!;
  const disk = target === 'state' || target === 'ledger' ? siteDisk : serverDisk;
  const path = fileOf[target](disk, plan, site);
  if (path === undefined || site === plan.hostile) return undefined;
  way.damage(disk, path);
  history.damaged.add(target === 'model' ? 'checkpoint' : target);
  history.victim = site;
  history.note(`damage: ${path}, ${way.name}`);
  if (target === 'update') forgive(history, Number(path.split('/').at(-2)));
  return disk === serverDisk ? 'server' : 'site';
}

type FileOf = (disk: SimDisk, plan: Plan, site: string) => string | undefined;

const fileOf: Readonly<Record<(typeof targets)[number], FileOf>> = {
  /** The newest, with another one before it. */
  checkpoint(disk) {
    const states = numbered(disk, /^\/server\/checkpoint\/state-(\d+)\.json$/);
    return states.length < 2 ? undefined : states.at(-1);
  },
  /** That of the newest checkpoint, which no other one names. */
  model(disk) {
    const models = numbered(disk, /^\/server\/checkpoint\/model-(\d+)\.safetensors$/);
    return models.length < 2 ? undefined : models.at(-1);
  },
  /** An update of a round that has not closed without some of its sites: others have not built on who took part. */
  update(disk) {
    const paths = [...disk.files().keys()].filter((path) => path.startsWith('/server/checkpoint/updates/'));
    const concluded = paths.filter((path) => path.endsWith('.concluded.json')).map(folderOf);
    return paths.find((path) => path.endsWith('.safetensors') && !concluded.includes(folderOf(path)));
  },
  state(disk) {
    const states = numbered(disk, /\/state\/round-(\d+)\.safetensors$/);
    return states.length < 2 ? undefined : states.at(-1);
  },
  /** Its site takes no part any more: the others must be enough. */
  ledger(disk, { noise, minSites, sites, gone, hostile }) {
    const spare = minSites < sites.length && gone === undefined && hostile === undefined;
    const file = ledgerFile(jobId);
    return noise && spare && (disk.files().get(file)?.length ?? 0) > 0 ? file : undefined;
  },
};

function numbered(disk: SimDisk, pattern: RegExp): string[] {
  const number = (path: string) => Number(pattern.exec(path)?.[1] ?? -1);
  return [...disk.files().keys()].filter((path) => number(path) >= 0).sort((a, b) => number(a) - number(b));
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** An update that is not whole is asked for again. */
function forgive({ accepted }: History, damagedRound: number): void {
  for (const [key, { round }] of accepted) if (round === damagedRound) accepted.delete(key);
}
