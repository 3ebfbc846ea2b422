/**
 * What a seed decides: the federation, and which faults happen in it. Each seed has some kinds of faults and not others, so that
 * rare combinations come up.
 *
 * @module
 */
import { stream } from '../../src/util/streams';

export type FaultKind =
  | 'kill-server'
  | 'cut-power-of-server'
  | 'kill-site'
  | 'cut-power-of-site'
  | 'freeze-site'
  | 'block-server'
  | 'cut-link'
  | 'half-open'
  | 'lose-one-way'
  | 'slow-link'
  | 'bad-link'
  | 'full-disk'
  | 'bad-flush'
  | 'jump-clock';

const kinds: readonly FaultKind[] = [
  'kill-server',
  'cut-power-of-server',
  'kill-site',
  'cut-power-of-site',
  'freeze-site',
  'block-server',
  'cut-link',
  'half-open',
  'lose-one-way',
  'slow-link',
  'bad-link',
  'full-disk',
  'bad-flush',
  'jump-clock',
];

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
  readonly faults: readonly {
    readonly atMs: number;
    readonly kind: FaultKind;
    readonly site: string;
    readonly forMs: number;
  }[];
  /** When faults end. */
  readonly healMs: number;
}

export function planOf(seed: number): Plan {
  const random = stream(seed, 'plan');
  const chance = () => random.random();
  const upTo = (n: number) => Math.floor(chance() * n);
  const sites = Array.from({ length: 2 + upTo(3) }, (_, i) => `site-${i + 1}`);
  const enabled = kinds.filter(() => chance() < 0.35);
  const healMs = 4000 + upTo(20_000);
  const count = enabled.length === 0 ? 0 : 2 + upTo(14);
  return {
    seed,
    sites,
    rounds: 2 + upTo(4),
    minSites: chance() < 0.5 ? sites.length : 1 + upTo(sites.length),
    graceSeconds: chance() < 0.5 ? undefined : 0.5 + 3 * chance(),
    roundDeadlineSeconds: chance() < 0.5 ? 60 : 5 + 10 * chance(),
    roundRetries: upTo(3),
    siteLostMs: chance() < 0.5 ? 60_000 : 2000 + upTo(6000),
    parameters: chance() < 0.9 ? 8 : 70_000,
    noise: chance() < 0.5,
    mostTaskMs: 50 + upTo(3000),
    taskFailure: chance() < 0.2 ? 0.1 : 0,
    faults: Array.from({ length: count }, () => ({
      atMs: chance() * healMs,
      kind: enabled[upTo(enabled.length)]!,
      site: sites[upTo(sites.length)]!,
      forMs: 100 + chance() * chance() * 8000,
    })).sort((a, b) => a.atMs - b.atMs),
    healMs,
  };
}
