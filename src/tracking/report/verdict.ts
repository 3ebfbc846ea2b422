/**
 * What the privacy numbers of a run mean, in plain words. Above ε = 10 a bound protects little, and above 100 it is not
 * called differential privacy here.
 *
 * @module
 */
import type { PrivacyCost } from '../../privacy/cost';
import type { RoundEntry } from '../round-metrics';
import { formatEpsilon } from './format';

export type Protection = 'none' | 'not-private' | 'meaningless' | 'weak' | 'private';

export interface Verdict {
  readonly protection: Protection;
  /** A few words for a badge. */
  readonly badge: string;
  /** One or two sentences. */
  readonly text: string;
}

/** One filter call, as the ledger lists it. */
export interface LedgerRow {
  readonly round: number;
  readonly site: string;
  readonly cost: PrivacyCost;
  /** ε of this site up to and with this call, by basic composition. */
  readonly epsilonTotal: number;
}

/** The calls of all rounds, in order. */
export function ledgerOf(entries: readonly RoundEntry[]): readonly LedgerRow[] {
  const spent = new Map<string, number>();
  return entries.flatMap(({ round, sites }) =>
    sites.flatMap(({ name, privacy = [] }) =>
      privacy.map((cost) => {
        const epsilonTotal = (spent.get(name) ?? 0) + cost.epsilon;
        spent.set(name, epsilonTotal);
        return { round, site: name, cost, epsilonTotal };
      }),
    ),
  );
}

/** The verdict on a run: the site that was charged most counts. */
export function verdictOf(ledger: readonly LedgerRow[]): Verdict {
  if (ledger.length === 0) {
    return {
      protection: 'none',
      badge: 'No privacy filter',
      text: 'No privacy filter was on: the sites sent their updates in the clear. Images never left a site, but an update can reveal parts of the data it was trained on.',
    };
  }
  const notPrivate = ledger.find(({ cost }) => !cost.differentiallyPrivate);
  if (notPrivate) {
    return {
      protection: 'not-private',
      badge: 'NOT differentially private',
      text: `The filter '${notPrivate.cost.mechanism}' gives no differential-privacy guarantee: no finite ε bounds what an update reveals. It changes the updates, but do not count on it to protect anyone.`,
    };
  }
  return boundedVerdict(ledger);
}

function boundedVerdict(ledger: readonly LedgerRow[]): Verdict {
  const total = Math.max(...ledger.map(({ epsilonTotal }) => epsilonTotal));
  const perRound = Math.max(...perRoundEpsilons(ledger));
  const { unit } = ledger[0]!.cost;
  const delta = Math.max(...deltaTotals(ledger));
  const numbers = `ε = ${formatEpsilon(perRound)} per round, ${formatEpsilon(total)} for the run${delta > 0 ? ` (δ = ${delta.toExponential(1)})` : ''}`;
  if (total > 100) {
    return {
      protection: 'meaningless',
      badge: 'No meaningful privacy',
      text: `${numbers}: a formal bound, but no meaningful protection. At this size it rules out nothing, so this report does not call the run differentially private.`,
    };
  }
  if (total > 10) {
    return {
      protection: 'weak',
      badge: `Weak privacy: ε = ${formatEpsilon(total)}`,
      text: `${numbers}. The run is differentially private for ${unit}, but a bound above 10 protects little.`,
    };
  }
  return {
    protection: 'private',
    badge: `Differentially private: ε = ${formatEpsilon(total)}`,
    text: `${numbers}. The run is differentially private for ${unit}.`,
  };
}

/** ε of each site in each round. */
function perRoundEpsilons(ledger: readonly LedgerRow[]): readonly number[] {
  const sums = new Map<string, number>();
  for (const { round, site, cost } of ledger) {
    const key = `${round} ${site}`;
    sums.set(key, (sums.get(key) ?? 0) + cost.epsilon);
  }
  return [...sums.values()];
}

/** δ of each site over the run. */
function deltaTotals(ledger: readonly LedgerRow[]): readonly number[] {
  const sums = new Map<string, number>();
  for (const { site, cost } of ledger) sums.set(site, (sums.get(site) ?? 0) + cost.delta);
  return [...sums.values()];
}
