/**
 * What a seed decides: the federation, and which faults happen in it. Each seed has some kinds of faults and not others, so that
 * rare combinations come up.
 *
 * @module
 */
import { stream } from '../../src/util/streams';

const kinds = [
  'kill-server',
  'cut-power-of-server',
  'crash-server-at-disk',
  'kill-site',
  'cut-power-of-site',
  'crash-site-at-disk',
  'freeze-site',
  'block-server',
  'cut-link',
  'half-open',
  'lose-one-way',
  'slow-link',
  'bad-link',
  'double-frames',
  'full-disk',
  'bad-flush',
  'jump-clock',
  'damage',
] as const;

/** Beside them: the machine on which everything runs stops as a whole, as when a laptop is closed. */
export type FaultKind = (typeof kinds)[number] | 'sleep-machine';

export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly site: string;
  readonly forMs: number;
  /** In [0, 1): which of the ways in which this may go wrong. */
  readonly chance: number;
}

export interface Plan {
  readonly seed: number;
  readonly sites: readonly string[];
  readonly rounds: number;
  readonly minSites: number;
  readonly graceSeconds: number | undefined;
  readonly roundDeadlineSeconds: number;
  readonly roundRetries: number;
  readonly siteLostMs: number;
  /** Numbers in the model. */
  readonly parameters: number;
  readonly noise: boolean;
  readonly mostTaskMs: number;
  /** Probability that a task fails while there are faults. */
  readonly taskFailure: number;
  /** A site that leaves for ever. */
  readonly gone: { readonly site: string; readonly atMs: number } | undefined;
  /** A site whose owner is up to no good. */
  readonly hostile: string | undefined;
  readonly faults: readonly Fault[];
  /** When faults end. */
  readonly healMs: number;
}

export function planOf(seed: number): Plan {
  const random = stream(seed, 'plan');
  const chance = () => random.random();
  const upTo = (n: number) => Math.floor(chance() * n);
  const sites = Array.from({ length: 2 + upTo(3) }, (_, i) => `site-${i + 1}`);
  const alone = chance() < 0.15;
  const enabled: readonly FaultKind[] = alone ? [kinds[upTo(kinds.length)]!] : kinds.filter(() => chance() < 0.3);
  const healMs = 4000 + upTo(20_000);
  const count = enabled.length === 0 ? 0 : 2 + upTo(14);
  const minSites = chance() < 0.5 ? sites.length : 1 + upTo(sites.length);
  const spare = minSites < sites.length;
  const trouble = spare ? chance() : 1;
  const gone = trouble < 0.25 ? { site: sites[upTo(sites.length)]!, atMs: chance() * 6000 } : undefined;
  const hostile = trouble >= 0.25 && trouble < 0.6 ? sites[upTo(sites.length)] : undefined;
  const graceSeconds = chance() < 0.5 && hostile === undefined ? undefined : 0.5 + 3 * chance();
  const fault = (): Fault => ({
    atMs: chance() * healMs,
    kind: enabled[upTo(enabled.length)]!,
    site: sites[upTo(sites.length)]!,
    forMs: 100 + chance() * chance() * 8000,
    chance: chance(),
  });
  return {
    seed,
    sites,
    rounds: 2 + upTo(4),
    minSites,
    graceSeconds,
    // A round that cannot do without a site that is gone waits until its deadline.
    roundDeadlineSeconds:
      chance() < 0.3 && hostile === undefined && gone === undefined ? 3600 : chance() < 0.5 ? 60 : 5 + 10 * chance(),
    roundRetries: upTo(3),
    siteLostMs: chance() < 0.5 && gone === undefined ? 60_000 : 2000 + upTo(6000),
    parameters: chance() < 0.9 ? 8 : 70_000,
    noise: chance() < 0.5,
    mostTaskMs: 50 + upTo(3000),
    taskFailure: chance() < 0.2 ? 0.1 : 0,
    gone,
    hostile,
    faults: [...onceDamaged(Array.from({ length: count }, fault).sort(byTime)), ...sleeps(seed, healMs)].sort(byTime),
    healMs,
  };
}

const byTime = (a: Fault, b: Fault) => a.atMs - b.atMs;

/** Longer than what is taken for death: whoever stood still with all others was not dead to them. */
function sleeps(seed: number, healMs: number): readonly Fault[] {
  const random = stream(seed, 'sleep');
  if (random.random() > 0.1) return [];
  const [atMs, forMs] = [4000 * random.random(), 6000 + healMs * random.random()];
  return [{ atMs, kind: 'sleep-machine', site: '', forMs, chance: 0 }];
}

/** Nothing is promised of a federation in which several files are damaged. */
function onceDamaged(faults: readonly Fault[]): readonly Fault[] {
  const first = faults.findIndex(({ kind }) => kind === 'damage');
  return faults.filter(({ kind }, i) => kind !== 'damage' || i === first);
}

/** Whether no connection may break, and no site be given up: what happens is too short, or not about the network at all. */
export function isHarmless({ faults, gone, hostile }: Plan): boolean {
  if (gone !== undefined || hostile !== undefined) return false;
  const stopped = faults.filter(({ kind }) => kind === 'freeze-site' || kind === 'block-server');
  const still = stopped.reduce((sum, { forMs }) => sum + forMs, 0);
  const most = faults.some(({ kind }) => kind === 'sleep-machine') ? 0 : 3000; // Who wakes alone is alone.
  return still <= most && faults.every(({ kind }) => harmless.includes(kind));
}

const harmless: readonly FaultKind[] = ['jump-clock', 'double-frames', 'freeze-site', 'block-server', 'sleep-machine'];
